/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events: every admin command on behalf of a VF, every step of its
 * migration state. In tracefs under events/nvme_vfio.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM nvme_vfio

#if !defined(_NVME_VFIO_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _NVME_VFIO_TRACE_H

#include <linux/device.h>
#include <linux/tracepoint.h>
#include <linux/vfio.h>

#include "compat.h"

/**
 * trace_admin_cmd - a command was run on the PF's admin queue for a VF
 * @dev: the VF
 * @opcode: admin opcode
 * @cdw10: command dword 10, which selects the operation
 * @cdw11: command dword 11, which names the controller
 * @len: bytes of data
 * @usecs: from submission to return, microseconds
 * @status: 0, a positive NVMe status, or a negative errno
 */
TRACE_EVENT(admin_cmd,
	TP_PROTO(struct device *dev, u8 opcode, u32 cdw10, u32 cdw11, u32 len,
		 s64 usecs, int status),
	TP_ARGS(dev, opcode, cdw10, cdw11, len, usecs, status),

	TP_STRUCT__entry(
		__string(vf, dev_name(dev))
		__field(u8, opcode)
		__field(u32, cdw10)
		__field(u32, cdw11)
		__field(u32, len)
		__field(s64, usecs)
		__field(int, status)
	),

	TP_fast_assign(
		compat_assign_str(vf, dev_name(dev));
		__entry->opcode = opcode;
		__entry->cdw10 = cdw10;
		__entry->cdw11 = cdw11;
		__entry->len = len;
		__entry->usecs = usecs;
		__entry->status = status;
	),

	TP_printk("vf=%s opcode=0x%02x cdw10=0x%08x cdw11=0x%08x len=%u usecs=%lld status=%d",
		  __get_str(vf), __entry->opcode, __entry->cdw10,
		  __entry->cdw11, __entry->len, __entry->usecs,
		  __entry->status)
);

/**
 * trace_cmd_given_up - a command for a VF did not end in time
 * @dev: the VF
 * @opcode: admin opcode
 * @usecs: how long it was waited for, microseconds
 */
TRACE_EVENT(cmd_given_up,
	TP_PROTO(struct device *dev, u8 opcode, s64 usecs),
	TP_ARGS(dev, opcode, usecs),

	TP_STRUCT__entry(
		__string(vf, dev_name(dev))
		__field(u8, opcode)
		__field(s64, usecs)
	),

	TP_fast_assign(
		compat_assign_str(vf, dev_name(dev));
		__entry->opcode = opcode;
		__entry->usecs = usecs;
	),

	TP_printk("vf=%s opcode=0x%02x usecs=%lld", __get_str(vf),
		  __entry->opcode, __entry->usecs)
);

/**
 * trace_vf_reset - the driver resets a VF whose Suspend does not end
 * @dev: the VF
 * @usecs: duration, microseconds; 0 before
 * @ret: 0 or negative errno
 */
TRACE_EVENT(vf_reset,
	TP_PROTO(struct device *dev, s64 usecs, int ret),
	TP_ARGS(dev, usecs, ret),

	TP_STRUCT__entry(
		__string(vf, dev_name(dev))
		__field(s64, usecs)
		__field(int, ret)
	),

	TP_fast_assign(
		compat_assign_str(vf, dev_name(dev));
		__entry->usecs = usecs;
		__entry->ret = ret;
	),

	TP_printk("vf=%s usecs=%lld ret=%d", __get_str(vf), __entry->usecs,
		  __entry->ret)
);

#define show_mig_state(state) __print_symbolic(state,		\
	{ VFIO_DEVICE_STATE_ERROR,	"ERROR" },		\
	{ VFIO_DEVICE_STATE_STOP,	"STOP" },		\
	{ VFIO_DEVICE_STATE_RUNNING,	"RUNNING" },		\
	{ VFIO_DEVICE_STATE_STOP_COPY,	"STOP_COPY" },		\
	{ VFIO_DEVICE_STATE_RESUMING,	"RESUMING" },		\
	{ VFIO_DEVICE_STATE_RUNNING_P2P, "RUNNING_P2P" },	\
	{ VFIO_DEVICE_STATE_PRE_COPY,	"PRE_COPY" },		\
	{ VFIO_DEVICE_STATE_PRE_COPY_P2P, "PRE_COPY_P2P" })

/**
 * trace_state_arc - a VF went, or failed to go, from one state to the next
 * @dev: the VF
 * @from: enum vfio_device_mig_state before
 * @to: the state asked for
 * @now: the state it is in after this
 * @usecs: duration, microseconds
 * @ret: 0 or negative errno
 */
TRACE_EVENT(state_arc,
	TP_PROTO(struct device *dev, unsigned int from, unsigned int to,
		 unsigned int now, s64 usecs, int ret),
	TP_ARGS(dev, from, to, now, usecs, ret),

	TP_STRUCT__entry(
		__string(vf, dev_name(dev))
		__field(unsigned int, from)
		__field(unsigned int, to)
		__field(unsigned int, now)
		__field(s64, usecs)
		__field(int, ret)
	),

	TP_fast_assign(
		compat_assign_str(vf, dev_name(dev));
		__entry->from = from;
		__entry->to = to;
		__entry->now = now;
		__entry->usecs = usecs;
		__entry->ret = ret;
	),

	TP_printk("vf=%s from=%s to=%s now=%s usecs=%lld ret=%d",
		  __get_str(vf), show_mig_state(__entry->from),
		  show_mig_state(__entry->to), show_mig_state(__entry->now),
		  __entry->usecs, __entry->ret)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
