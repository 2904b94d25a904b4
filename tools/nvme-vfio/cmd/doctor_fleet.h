/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor_fleet.h - "doctor --fleet": what the reports of many hosts say together.
 */
#ifndef NVME_VFIO_DOCTOR_FLEET_H
#define NVME_VFIO_DOCTOR_FLEET_H

/**
 * doctor_fleet - read a folder of reports, and print what comes of them
 *
 * Return: TOOL_OK; TOOL_UNFIT: there are VFs that can move to no other host;
 * TOOL_CONFIG: not all reports could be read, after saying so.
 */
int doctor_fleet(const char *folder);

#endif
