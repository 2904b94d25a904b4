/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * port.h - the port that a PF is behind: removing it, finding it again, and
 * pulling the PF out and plugging it in.
 */
#ifndef NVME_VFIO_PORT_H
#define NVME_VFIO_PORT_H

#define PORT_LEN	16

/** port_of - PCI address of the port above a PF; @port has room for PORT_LEN */
void port_of(int pf, char *port);

/** port_found - find everything that was removed: the PF's VFs are as before */
void port_found(int pf);

/** port_pull - the PF and its VFs are gone, without notice; @port as port_of() */
void port_pull(int pf, char *port);

/**
 * port_plug - a PF that was pulled is plugged in again, its VFs are as before
 *
 * Waits until the kernel has released all of it.
 */
void port_plug(int pf, const char *port);

#endif
