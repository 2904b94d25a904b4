/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: suspend, resume, and what a
 * reset does to both.
 *
 * RUNNING -> SUSPENDING: nothing more is fetched, what was fetched goes on
 * SUSPENDING -> SUSPENDED: nothing but AERs is outstanding, completions are
 *     posted as far as the queues have room; from here on no DMA, no interrupt
 * SUSPENDED -> RESUMING -> RUNNING: RESUMING only exists with a delay
 *
 * Tests may make a Suspend wait for more than that, and say what becomes of it
 * when the VF is reset meanwhile.
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "qemu/main-loop.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie_sriov.h"
#include "nvme-lm-priv.h"

bool nvme_lm_no_fetch(NvmeCtrl *n)
{
    return n->lm->state != LM_RUNNING;
}

bool nvme_lm_no_dma(NvmeCtrl *n)
{
    return nvme_lm_suspended(n);
}

/*
 * A lying device holds back the last completion, so that there is one for the
 * saved state to forget.
 */
static bool nvme_lm_keeps_one(NvmeCtrl *n)
{
    return pci_is_vf(PCI_DEVICE(n)) &&
           (nvme_lm_pf(n)->lm->lies & LM_LIE_LOSE_CQE);
}

bool nvme_lm_no_post(NvmeCtrl *n)
{
    if (n->lm->lazy ||
        (n->lm->state == LM_SUSPENDING && nvme_lm_keeps_one(n))) {
        qemu_bh_schedule(n->lm->bh);
        return true;
    }
    return nvme_lm_suspended(n);
}

bool nvme_lm_no_irq(NvmeCtrl *n)
{
    PCIDevice *pci = PCI_DEVICE(n);

    if (!pci_is_vf(pci)) {
        return false;
    }
    /*
     * A VF has no INTx. If MSI-X was not enabled again, vectors of loaded
     * queues may be too high for the bitmap that stands for INTx.
     */
    return nvme_lm_suspended(n) || n->lm->mute ||
           (nvme_lm_pf(n)->lm->sets && !msix_enabled(pci));
}

/* Is there a completion that the guest's queue has no room for? */
static bool nvme_lm_wants_room(NvmeCtrl *vf)
{
    for (uint32_t i = 0; i < vf->params.max_ioqpairs + 1; i++) {
        if (vf->cq[i] && !QTAILQ_EMPTY(&vf->cq[i]->req_list)) {
            return true;
        }
    }
    return false;
}

static bool nvme_lm_may_end(NvmeCtrl *vf)
{
    switch (nvme_lm_pf(vf)->lm->suspend_waits) {
    case LM_WAITS_EVER:
        return false;
    case LM_WAITS_CQ:
        return !nvme_lm_wants_room(vf);
    }
    return true;
}

static void nvme_lm_finish_waiting(NvmeCtrl *vf, uint16_t status)
{
    NvmeCtrl *pf = nvme_lm_pf(vf);

    while (vf->lm->waiting->len) {
        NvmeRequest *req = g_ptr_array_steal_index(vf->lm->waiting, 0);
        uint16_t its = status ?: nvme_lm_vendor_drained(pf, req, vf);

        nvme_lm_record(pf, req, its);
        if (!nvme_lm_complete_late(pf, req, its)) {
            nvme_lm_complete_req(pf, req, its);
        }
    }
}

static void nvme_lm_post_all(NvmeCtrl *vf)
{
    bool keep = nvme_lm_keeps_one(vf);

    /* fetching stops at SUSPENDING, which ends here */
    vf->lm->state = LM_RUNNING;
    for (uint32_t i = vf->params.max_ioqpairs + 1; i-- > 0; ) {
        NvmeCQueue *cq = vf->cq[i];
        NvmeRequest *kept = NULL;

        if (!cq) {
            continue;
        }
        if (keep && i && !QTAILQ_EMPTY(&cq->req_list)) {
            kept = QTAILQ_LAST(&cq->req_list);
            QTAILQ_REMOVE(&cq->req_list, kept, entry);
            keep = false;
        }
        nvme_lm_post_cqes(cq);
        if (kept) {
            QTAILQ_INSERT_TAIL(&cq->req_list, kept, entry);
        }
    }
    vf->lm->state = LM_SUSPENDED;
}

static void nvme_lm_try_finish(void *opaque)
{
    NvmeCtrl *vf = opaque;

    if (vf->lm->state != LM_SUSPENDING || timer_pending(vf->lm->timer) ||
        !nvme_lm_drained(vf) || !nvme_lm_may_end(vf)) {
        return;
    }
    vf->lm->lazy = false;
    nvme_lm_post_all(vf);
    nvme_lm_finish_waiting(vf, NVME_SUCCESS);
}

void nvme_lm_progress(NvmeCtrl *n)
{
    if (n->lm->state == LM_SUSPENDING) {
        qemu_bh_schedule(n->lm->bh);
    }
}

/* From here on it runs with whatever it has. */
void nvme_lm_go(NvmeCtrl *vf)
{
    vf->lm->state = LM_RUNNING;
    vf->lm->lazy = false;
    vf->lm->mute = false;

    for (uint32_t i = 0; i < vf->params.max_ioqpairs + 1; i++) {
        NvmeSQueue *sq = vf->sq[i];
        NvmeCQueue *cq = vf->cq[i];

        if (cq) {
            /* The guest may have moved on in its doorbell buffer meanwhile. */
            if (vf->dbbuf_enabled) {
                if (i) {
                    nvme_lm_load_cq_head(cq);
                } else {
                    stl_le_pci_dma(PCI_DEVICE(vf), cq->db_addr, cq->head,
                                   MEMTXATTRS_UNSPECIFIED);
                }
            }
            /*
             * Posts what is pending and raises the interrupt if anything is
             * unseen: whether the old one was delivered cannot be known.
             */
            if (nvme_lm_pf(vf)->lm->resume_irq) {
                qemu_bh_schedule(cq->bh);
            } else {
                vf->lm->mute = true;
                nvme_lm_post_cqes(cq);
                vf->lm->mute = false;
            }
        }
        if (sq) {
            if (vf->dbbuf_enabled && !i) {
                stl_le_pci_dma(PCI_DEVICE(vf), sq->db_addr, sq->tail,
                               MEMTXATTRS_UNSPECIFIED);
            }
            qemu_bh_schedule(sq->bh);
        }
    }
    nvme_lm_process_aers(vf);
}

static void nvme_lm_timer(void *opaque)
{
    NvmeCtrl *vf = opaque;

    if (vf->lm->state == LM_SUSPENDING) {
        nvme_lm_try_finish(vf);
    } else if (vf->lm->state == LM_RESUMING) {
        nvme_lm_go(vf);
        nvme_lm_finish_waiting(vf, NVME_SUCCESS);
    }
}

static void nvme_lm_prepare(NvmeCtrl *vf)
{
    NvmeLm *lm = vf->lm;

    if (!lm->waiting) {
        lm->waiting = g_ptr_array_new();
        /*
         * The virtual clock, so that a test that steps it can tell before from
         * after.
         */
        lm->timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, nvme_lm_timer, vf);
        lm->bh = qemu_bh_new(nvme_lm_try_finish, vf);
    }
}

static void nvme_lm_delay(NvmeCtrl *vf, uint32_t ms)
{
    if (ms) {
        timer_mod(vf->lm->timer,
                  qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + ms);
    }
}

static uint32_t nvme_lm_suspend_takes(NvmeCtrl *vf)
{
    NvmeLm *of_pf = nvme_lm_pf(vf)->lm;
    bool told = vf->lm->told;

    vf->lm->told = false;
    return told ? MIN(of_pf->suspend_delay_ms, of_pf->suspend_told_ms) :
                  of_pf->suspend_delay_ms;
}

uint16_t nvme_lm_suspend(NvmeCtrl *vf, NvmeRequest *req)
{
    NvmeLm *lm = vf->lm;

    switch (lm->state) {
    case LM_SUSPENDED:
        return NVME_SUCCESS;
    case LM_RESUMING:
        return LM_BAD_SEQUENCE;
    case LM_RUNNING:
        nvme_lm_prepare(vf);
        lm->state = LM_SUSPENDING;
        lm->mute = !nvme_lm_pf(vf)->lm->resume_irq;
        nvme_lm_delay(vf, nvme_lm_suspend_takes(vf));
        break;
    case LM_SUSPENDING:
        break;
    }
    g_ptr_array_add(lm->waiting, req);
    qemu_bh_schedule(lm->bh);
    return NVME_NO_COMPLETE;
}

/*
 * The Suspend of the vendor set that only ends fetching: what was fetched is
 * written to memory later, when a SAVE_DATA comes or the time is up.
 */
uint16_t nvme_lm_suspend_lazily(NvmeCtrl *vf, NvmeRequest *req)
{
    NvmeLm *lm = vf->lm;

    if (lm->lazy) {
        return NVME_SUCCESS;
    }
    if (lm->state != LM_RUNNING || (nvme_lm_drained(vf) &&
                                    !nvme_lm_wants_room(vf))) {
        return nvme_lm_suspend(vf, req);
    }
    nvme_lm_prepare(vf);
    lm->state = LM_SUSPENDING;
    lm->lazy = true;
    nvme_lm_delay(vf, nvme_lm_pf(vf)->lm->vendor_drain_ms);
    return NVME_SUCCESS;
}

uint16_t nvme_lm_drain_now(NvmeCtrl *vf, NvmeRequest *req)
{
    timer_del(vf->lm->timer);
    g_ptr_array_add(vf->lm->waiting, req);
    qemu_bh_schedule(vf->lm->bh);
    return NVME_NO_COMPLETE;
}

/* The caller has made sure that the VF is suspended. */
uint16_t nvme_lm_resume(NvmeCtrl *vf, NvmeRequest *req)
{
    NvmeLm *lm = vf->lm;
    uint32_t ms = nvme_lm_pf(vf)->lm->resume_delay_ms;

    if (lm->state == LM_RESUMING || lm->uncommitted) {
        return LM_BAD_SEQUENCE;
    }
    if (nvme_lm_pf(vf)->lm->lies & LM_LIE_DEAF) {
        return NVME_SUCCESS;
    }
    if (!ms) {
        nvme_lm_go(vf);
        return NVME_SUCCESS;
    }
    lm->state = LM_RESUMING;
    g_ptr_array_add(lm->waiting, req);
    nvme_lm_delay(vf, ms);
    return NVME_NO_COMPLETE;
}

void nvme_lm_drop_seq(NvmeCtrl *vf)
{
    NvmeLm *lm = vf->lm;

    g_free(lm->buf);
    g_free(lm->have);
    lm->buf = NULL;
    lm->have = NULL;
    lm->alloc = lm->end = lm->total = 0;
    lm->seq = false;
}

static NvmeLmState nvme_lm_state_after_reset(NvmeLm *lm)
{
    if (lm->suspend_late) {
        lm->suspend_late = false;
        return LM_SUSPENDED;
    }
    /* what is still waiting did not care */
    return lm->waiting && lm->waiting->len ? LM_SUSPENDING : LM_RUNNING;
}

static void nvme_lm_forget(NvmeCtrl *vf, bool half_stays)
{
    nvme_lm_drop_seq(vf);
    vf->lm->state = nvme_lm_state_after_reset(vf->lm);
    vf->lm->uncommitted &= half_stays;
    vf->lm->told = false;
    vf->lm->lazy = false;
    vf->lm->mute = false;
    vf->lm->double_next = false;
}

static bool nvme_lm_goes_offline(NvmeCtrl *vf)
{
    return !PCI_DEVICE(vf)->enabled || !nvme_sctrl(vf)->scs;
}

/* The VF is reset while commands of the PF wait for it. */
static void nvme_lm_cut_off(NvmeCtrl *vf)
{
    uint32_t how = nvme_lm_pf(vf)->lm->suspend_reset;
    NvmeLm *lm = vf->lm;

    if (lm->state != LM_SUSPENDING || nvme_lm_goes_offline(vf)) {
        how = LM_RESET_FAILS;
    }
    if (how == LM_RESET_IGNORED) {
        return;
    }
    timer_del(lm->timer);
    lm->suspend_late = how == LM_RESET_SUSPENDS;
    nvme_lm_finish_waiting(vf, how == LM_RESET_FAILS ?
                           NVME_INTERNAL_DEV_ERROR | NVME_DNR : NVME_SUCCESS);
}

/*
 * Before the queues go away: commands of the PF that wait for a VF end with the
 * VF, and vanish with the PF's own queues.
 */
void nvme_lm_reset_begin(NvmeCtrl *n)
{
    if (pci_is_vf(PCI_DEVICE(n))) {
        if (n->lm->waiting && n->lm->waiting->len) {
            nvme_lm_cut_off(n);
        }
        n->lm->resets++;
        return;
    }
    nvme_lm_drop_late(n->lm);
    for (unsigned i = 0; i < n->nr_sec_ctrls; i++) {
        NvmeCtrl *vf = nvme_lm_vf_at(n, i);

        if (vf && vf->lm->waiting) {
            timer_del(vf->lm->timer);
            g_ptr_array_set_size(vf->lm->waiting, 0);
        }
    }
}

/* Once the queues are gone nothing is left to hold back. */
void nvme_lm_reset_end(NvmeCtrl *n)
{
    if (pci_is_vf(PCI_DEVICE(n))) {
        nvme_lm_forget(n, nvme_lm_pf(n)->lm->half_stays && !nvme_lm_goes_offline(n));
        if (nvme_lm_load_kept(n)) {
            nvme_lm_prepare(n);
            n->lm->state = LM_SUSPENDED;
        }
        /* nobody could stop it once the function has been removed */
        if (!PCI_DEVICE(n)->enabled) {
            nvme_lm_track_end(n);
        }
        return;
    }
    for (unsigned i = 0; i < n->nr_sec_ctrls; i++) {
        NvmeCtrl *vf = nvme_lm_vf_at(n, i);

        if (vf) {
            nvme_lm_forget(vf, false);
            nvme_lm_track_end(vf);
        }
    }
}

/*
 * Reduce a suspended controller to what a reset leaves, but keep it suspended.
 * Nothing is in flight, so unlike a reset this need not drain the namespaces,
 * which other controllers share.
 */
void nvme_lm_disable(NvmeCtrl *vf)
{
    nvme_lm_free_queues(vf);
    while (!QTAILQ_EMPTY(&vf->aer_queue)) {
        NvmeAsyncEvent *event = QTAILQ_FIRST(&vf->aer_queue);

        QTAILQ_REMOVE(&vf->aer_queue, event, entry);
        g_free(event);
    }
    vf->aer_queued = 0;
    vf->aer_mask = 0;
    vf->outstanding_aers = 0;
    vf->qs_created = false;
    vf->dbbuf_enabled = false;
    vf->dbbuf_dbs = vf->dbbuf_eis = 0;
    stl_le_p(&vf->bar.cc, 0);
    stl_le_p(&vf->bar.csts, 0);
}

/* A lying device reports one I/O command twice. */
void nvme_lm_posted(NvmeCQueue *cq, NvmeRequest *req)
{
    NvmeCtrl *n = cq->ctrl;
    hwaddr addr = cq->dma_addr + cq->tail * sizeof(req->cqe);
    NvmeCqe again = req->cqe;

    if (!n->lm->double_next || !cq->cqid ||
        (cq->tail + 1) % cq->size == cq->head) {
        return;
    }
    n->lm->double_next = false;
    again.status = cpu_to_le16(req->status << 1 | cq->phase);
    pci_dma_write(PCI_DEVICE(n), addr, &again, sizeof(again));
    cq->tail++;
    if (cq->tail == cq->size) {
        cq->tail = 0;
        cq->phase = !cq->phase;
    }
}
