/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * baseline.h - a migration's admin commands and nothing else, sent back to back
 * through /dev/nvmeN: the time below which nobody can migrate.
 */
#ifndef NVME_VFIO_BENCH_BASELINE_H
#define NVME_VFIO_BENCH_BASELINE_H

#include <stddef.h>
#include <stdint.h>

#include "move.h"

/**
 * struct port - one VF, as its PF's commands name it
 * @fd: the PF's character device, open
 * @id: controller id (standard set) or number (vendor set) of the VF
 * @step: bytes that one command carries, for the driver and for us
 */
struct port {
	int fd;
	uint16_t id;
	uint32_t step;
};

/** port_open - find a VF of the bed; the case fails when it is not there */
void port_open(struct port *p, struct place at);

/** port_close - and forget it */
void port_close(struct port *p);

/** port_suspend, port_resume - these commands, by themselves */
void port_suspend(struct port *p);
void port_resume(struct port *p);

/** port_size - bytes of the VF's state now */
uint64_t port_size(struct port *p);

/**
 * port_read - read the state of a suspended VF
 * @buf: page aligned and touched before, @size bytes
 */
void port_read(struct port *p, void *buf, uint64_t size);

/** port_write - write it to a suspended VF */
void port_write(struct port *p, void *buf, uint64_t size);

/**
 * baseline_move - the commands of a downtime: suspend, read, write, resume
 * @buf: @room bytes, page aligned and touched before
 *
 * @to is suspended already, as the destination of a migration is. Return:
 * microseconds.
 */
uint64_t baseline_move(struct port *from, struct port *to, void *buf,
		    uint64_t size);

#endif
