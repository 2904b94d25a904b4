/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: the time that they take.
 *
 * An emulated device is as fast as this machine copies. With lm-command-us or
 * lm-mib-per-s a command takes effect at once, but completes only when it would
 * on a device that needs that time for each command and its data, and runs one
 * command after the other. lm-identify-ms does the same for Identify.
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "nvme-lm-priv.h"

/* a command that is done but not completed yet */
typedef struct LmLate {
    NvmeRequest *req;
    uint16_t    status;
    int64_t     due;            /* ns of the virtual clock */
} LmLate;

static void lm_wait_for_first(NvmeLm *lm)
{
    LmLate *first = g_queue_peek_head(lm->late);

    if (first) {
        timer_mod(lm->late_timer, first->due);
    }
}

static void lm_late_timer(void *opaque)
{
    NvmeCtrl *pf = opaque;
    NvmeLm *lm = pf->lm;
    LmLate *first;

    while ((first = g_queue_peek_head(lm->late)) &&
           first->due <= qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL)) {
        g_queue_pop_head(lm->late);
        nvme_lm_complete_req(pf, first->req, first->status);
        g_free(first);
    }
    lm_wait_for_first(lm);
}

static void lm_late_init(NvmeCtrl *pf)
{
    NvmeLm *lm = pf->lm;

    if (!lm->late) {
        lm->late = g_queue_new();
        lm->late_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, lm_late_timer, pf);
    }
}

static void lm_late_add(NvmeLm *lm, NvmeRequest *req, uint16_t status,
                        int64_t due)
{
    LmLate *last = g_queue_peek_tail(lm->late), *late = g_new(LmLate, 1);

    *late = (LmLate) {
        .req = req,
        .status = status,
        .due = last ? MAX(due, last->due) : due,
    };
    g_queue_push_tail(lm->late, late);
    lm_wait_for_first(lm);
}

static bool lm_is_paced(const NvmeLm *lm)
{
    return lm->command_us || lm->mib_per_s;
}

/*
 * There is a timer from the beginning: where time is counted in instructions
 * and all processors sleep, time jumps to the next timer.
 */
void nvme_lm_pace_begin(NvmeCtrl *pf)
{
    NvmeLm *lm = pf->lm;
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    if (!lm_is_paced(lm)) {
        return;
    }
    lm_late_init(pf);
    lm->busy_until = MAX(lm->busy_until, now) +
                     (int64_t)lm->command_us * SCALE_US;
    if (g_queue_is_empty(lm->late)) {
        timer_mod(lm->late_timer, lm->busy_until);
    }
}

void nvme_lm_moved(NvmeCtrl *pf, uint32_t len)
{
    NvmeLm *lm = pf->lm;

    if (lm->mib_per_s) {
        lm->busy_until += len * NANOSECONDS_PER_SECOND / (lm->mib_per_s * MiB);
    }
}

bool nvme_lm_complete_late(NvmeCtrl *pf, NvmeRequest *req, uint16_t status)
{
    NvmeLm *lm = pf->lm;

    if (!lm_is_paced(lm) || !lm->late) {
        return false;
    }
    lm_late_add(lm, req, status,
                MAX(lm->busy_until, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL)));
    return true;
}

uint16_t nvme_lm_identified(NvmeCtrl *n, NvmeRequest *req, uint16_t status)
{
    uint32_t ms = pci_is_vf(PCI_DEVICE(n)) ? 0 : n->lm->identify_ms;

    if (!ms || status == NVME_NO_COMPLETE) {
        return status;
    }
    lm_late_init(n);
    lm_late_add(n->lm, req, status,
                qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + (int64_t)ms * SCALE_MS);
    return NVME_NO_COMPLETE;
}

/* the PF's queues go away: no command of theirs completes any more */
void nvme_lm_drop_late(NvmeLm *lm)
{
    if (lm->late) {
        timer_del(lm->late_timer);
        g_queue_clear_full(lm->late, g_free);
    }
    lm->busy_until = 0;
}

void nvme_lm_free_late(NvmeLm *lm)
{
    if (lm->late) {
        nvme_lm_drop_late(lm);
        g_queue_free(lm->late);
        timer_free(lm->late_timer);
    }
}
