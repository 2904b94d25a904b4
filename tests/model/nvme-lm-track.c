/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: which memory a VF has written.
 *
 * Track Send names ranges of the VF's addresses, Track Receive reports which of
 * their units have been written since the last report. A write is noted after
 * it was made, so that a report between the two cannot clear the note.
 */

#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "hw/pci/pcie_sriov.h"
#include "nvme-lm-priv.h"

/* the real ones, behind those that nvme-lm.h gives everybody else */
#undef pci_dma_write
#undef stl_le_pci_dma
#undef dma_buf_read
#undef dma_blk_read

enum {
    TRACK_SEND_MEMORY   = 1,
    TRACK_RECV_MEMORY   = 0,
};

#define TACT_START      (1 << 0)
#define FORGOTTEN       7           /* the lie forgets one unit of so many */
#define BEYOND_END      0xa5        /* in the buffer after the report */

typedef struct NvmeLmRange {
    uint64_t first, last;           /* units */
} NvmeLmRange;

QEMU_BUILD_BUG_ON(sizeof(gpointer) < sizeof(uint64_t));

static gint lm_compare_units(gconstpointer a, gconstpointer b)
{
    return (uintptr_t)a < (uintptr_t)b ? -1 : a != b;
}

void nvme_lm_track_end(NvmeCtrl *vf)
{
    NvmeLmTrack *t = &vf->lm->track;

    g_clear_pointer(&t->range, g_free);
    g_clear_pointer(&t->dirty, g_tree_destroy);
    t->nr = 0;
}

/* Notes that N wrote LEN bytes at ADDR. */
static void lm_wrote(NvmeCtrl *n, uint64_t addr, uint64_t len, bool io_data)
{
    NvmeLmTrack *t = &n->lm->track;
    uint64_t first, last, end;
    bool forget;

    if (!t->nr || !len || uadd64_overflow(addr, len - 1, &end)) {
        return;
    }
    forget = io_data && nvme_lm_pf(n)->lm->lies & LM_LIE_FORGET_PAGE;
    for (uint32_t i = 0; i < t->nr; i++) {
        first = MAX(addr >> t->shift, t->range[i].first);
        last = MIN(end >> t->shift, t->range[i].last);
        for (uint64_t unit = first; unit <= last; unit++) {
            gpointer key = (gpointer)(uintptr_t)unit;

            if (!forget || unit % FORGOTTEN) {
                g_tree_insert(t->dirty, key, key);
            }
        }
    }
}

static void lm_wrote_sg(QEMUSGList *sg, uint64_t len, bool io_data)
{
    for (int i = 0; i < sg->nsg && len; i++) {
        uint64_t part = MIN(len, sg->sg[i].len);

        lm_wrote(NVME(sg->dev), sg->sg[i].base, part, io_data);
        len -= part;
    }
}

MemTxResult nvme_lm_dma_write(PCIDevice *pci, dma_addr_t addr, const void *buf,
                              dma_addr_t len)
{
    MemTxResult result = pci_dma_write(pci, addr, buf, len);

    lm_wrote(NVME(pci), addr, len, false);
    return result;
}

MemTxResult nvme_lm_dma_stl(PCIDevice *pci, dma_addr_t addr, uint32_t val,
                            MemTxAttrs attrs)
{
    MemTxResult result = stl_le_pci_dma(pci, addr, val, attrs);

    lm_wrote(NVME(pci), addr, sizeof(val), false);
    return result;
}

MemTxResult nvme_lm_dma_to_sg(void *ptr, dma_addr_t len, dma_addr_t *residual,
                              QEMUSGList *sg, MemTxAttrs attrs)
{
    MemTxResult result = dma_buf_read(ptr, len, residual, sg, attrs);

    lm_wrote_sg(sg, len, false);
    return result;
}

typedef struct LmRead {
    QEMUSGList          *sg;
    BlockCompletionFunc *cb;
    void                *opaque;
} LmRead;

/* A read that failed may have got any distance: all of it counts as written. */
static void lm_read_done(void *opaque, int ret)
{
    LmRead read = *(LmRead *)opaque;

    g_free(opaque);
    lm_wrote_sg(read.sg, read.sg->size, true);
    read.cb(read.opaque, ret);
}

BlockAIOCB *nvme_lm_dma_blk_read(BlockBackend *blk, QEMUSGList *sg,
                                 uint64_t offset, uint32_t align,
                                 BlockCompletionFunc *cb, void *opaque)
{
    LmRead *read = g_new(LmRead, 1);

    *read = (LmRead) { .sg = sg, .cb = cb, .opaque = opaque };
    return dma_blk_read(blk, sg, offset, align, lm_read_done, read);
}

/* descriptors in use by VFs of this PF */
static uint32_t lm_in_use(NvmeCtrl *pf)
{
    uint32_t nr = 0;

    for (unsigned i = 0; i < pf->nr_sec_ctrls; i++) {
        NvmeCtrl *vf = nvme_lm_vf_at(pf, i);

        nr += vf ? vf->lm->track.nr : 0;
    }
    return nr;
}

static uint32_t lm_in_use_subsys(NvmeCtrl *pf)
{
    uint32_t nr = 0;

    for (unsigned i = 0; i < NVME_MAX_CONTROLLERS; i++) {
        NvmeCtrl *n = nvme_subsys_ctrl(pf->subsys, i);

        nr += n ? n->lm->track.nr : 0;
    }
    return nr;
}

/*
 * The command has no length: it follows from the start of the data, which must
 * be readable before it is known whether PRP2 is a page or a list.
 */
static uint16_t lm_track_fetch(NvmeCtrl *pf, NvmeRequest *req, uint32_t limit,
                               LmTrackSend *head, LmTrackRange **ranges)
{
    uint64_t prp1 = le64_to_cpu(req->cmd.dptr.prp1);
    g_autofree uint8_t *buf = NULL;
    uint64_t len;
    uint16_t status;

    if (prp1 % pf->page_size > pf->page_size - sizeof(*head)) {
        return NVME_INVALID_PRP_OFFSET | NVME_DNR;
    }
    status = nvme_lm_h2c(pf, head, sizeof(*head), req);
    if (status) {
        return status;
    }
    head->rnmrtd = le32_to_cpu(head->rnmrtd);
    if (head->ver || head->rsvd1 || !head->rnmrtd || head->rnmrtd > limit) {
        return LM_BAD_FIELD;
    }
    len = sizeof(*head) + (uint64_t)head->rnmrtd * sizeof(LmTrackRange);
    status = nvme_lm_check_mdts(pf, len);
    if (status) {
        return status;
    }
    buf = g_malloc(len);
    status = nvme_lm_h2c(pf, buf, len, req);
    if (status) {
        return status;
    }
    *ranges = g_memdup2(buf + sizeof(*head), len - sizeof(*head));
    return NVME_SUCCESS;
}

static bool lm_track_range(NvmeLm *lm, unsigned shift, const LmTrackRange *from,
                           NvmeLmRange *range)
{
    uint64_t saddr = le64_to_cpu(from->saddr);
    uint64_t len = le32_to_cpu(from->len);

    range->first = saddr >> shift;
    range->last = range->first + len - 1;
    return len && !(saddr & ((1ULL << shift) - 1)) &&
           range->last <= UINT64_MAX >> shift &&
           (!lm->track_pow2 || is_power_of_2(len));
}

/* The refusal says what is available instead. */
static bool lm_track_room(NvmeCtrl *pf, NvmeRequest *req,
                          const LmTrackSend *head)
{
    NvmeLm *lm = pf->lm;
    bool coarse = head->rmrtg >= lm->track_grain;
    uint32_t used = lm_in_use(pf), room = 0;

    if (coarse && lm->track_room > used) {
        room = lm->track_room - used;
    }
    if (head->rnmrtd <= room) {
        return true;
    }
    req->cqe.result = cpu_to_le32(MAX(lm->track_grain, lm->track_min));
    req->cqe.dw1 = cpu_to_le32(room);
    return false;
}

/* Is any of the VF's own BARs in the range? */
static bool lm_holds_bar(NvmeCtrl *vf, const NvmeLmRange *range, unsigned shift)
{
    for (int i = 0; i < PCI_NUM_REGIONS; i++) {
        PCIIORegion *bar = &PCI_DEVICE(vf)->io_regions[i];

        if (bar->size && bar->addr != PCI_BAR_UNMAPPED &&
            (bar->addr + bar->size - 1) >> shift >= range->first &&
            bar->addr >> shift <= range->last) {
            return true;
        }
    }
    return false;
}

static uint16_t lm_track_start(NvmeCtrl *pf, NvmeRequest *req, NvmeCtrl *vf)
{
    NvmeLm *lm = pf->lm;
    NvmeLmTrack *t = &vf->lm->track;
    uint32_t used = lm_in_use(pf), used_subsys = lm_in_use_subsys(pf);
    uint32_t limit = MIN(lm->track_cmmrtd - MIN(used, lm->track_cmmrtd),
                         lm->track_nmmrtd - MIN(used_subsys, lm->track_nmmrtd));
    g_autofree LmTrackRange *ranges = NULL;
    g_autofree NvmeLmRange *list = NULL;
    LmTrackSend head;
    unsigned shift;
    uint16_t status;

    status = lm_track_fetch(pf, req, limit, &head, &ranges);
    if (status) {
        return status;
    }
    if (head.rmrtg < lm->track_min || head.rmrtg > lm->track_max) {
        return LM_BAD_FIELD;
    }
    shift = LM_TRACK_SHIFT + head.rmrtg;
    list = g_new(NvmeLmRange, head.rnmrtd);
    for (uint32_t i = 0; i < head.rnmrtd; i++) {
        if (!lm_track_range(lm, shift, &ranges[i], &list[i]) ||
            (lm->track_bars && lm_holds_bar(vf, &list[i], shift))) {
            return LM_BAD_FIELD;
        }
    }
    if (!lm_track_room(pf, req, &head)) {
        return LM_NO_RESOURCES;
    }
    t->nr = head.rnmrtd;
    t->shift = shift;
    t->range = g_steal_pointer(&list);
    t->dirty = g_tree_new(lm_compare_units);
    return NVME_SUCCESS;
}

uint16_t nvme_lm_track_send(NvmeCtrl *pf, NvmeRequest *req)
{
    uint32_t dw10 = le32_to_cpu(req->cmd.cdw10);
    uint32_t dw11 = le32_to_cpu(req->cmd.cdw11);
    unsigned tact = dw10 >> 16;
    bool online;
    NvmeCtrl *vf = nvme_lm_target(pf, dw11, &online);

    if ((dw10 & 0xff) != TRACK_SEND_MEMORY || (dw10 >> 8 & 0xff) ||
        tact & ~TACT_START || dw11 >> 16 || req->cmd.cdw12 ||
        req->cmd.cdw13 || req->cmd.cdw14 || req->cmd.cdw15) {
        return LM_BAD_FIELD;
    }
    if (!vf) {
        return LM_BAD_CNTLID;
    }
    if (nvme_lm_suspended(vf)) {
        return LM_SUSPENDED_STATUS;
    }
    if (tact & TACT_START) {
        return online && !vf->lm->track.nr ? lm_track_start(pf, req, vf) :
                                             LM_BAD_CNTLID;
    }
    if (!vf->lm->track.nr) {
        return LM_BAD_CNTLID;
    }
    nvme_lm_track_end(vf);
    return NVME_SUCCESS;
}

/* a report being made: neighbouring units become one change */
typedef struct LmReport {
    LmTrackChange *change;
    uint32_t      nr, room;
    uint64_t      next;             /* the unit after the last of them */
    unsigned      shift;
    bool          more;
} LmReport;

static gboolean lm_report_unit(gpointer key, gpointer value, gpointer opaque)
{
    LmReport *r = opaque;
    uint64_t unit = (uintptr_t)key;
    LmTrackChange *last = r->nr ? &r->change[r->nr - 1] : NULL;

    if (last && unit == r->next && last->len != UINT32_MAX) {
        last->len++;
    } else if (r->nr == r->room) {
        r->more = true;
        return true;
    } else {
        r->change[r->nr++] = (LmTrackChange) {
            .saddr = unit << r->shift,
            .len = 1,
        };
    }
    r->next = unit + 1;
    return false;
}

/* What was reported is not reported again. */
static void lm_report_told(NvmeLmTrack *t, LmReport *r)
{
    for (uint32_t i = 0; i < r->nr; i++) {
        uint64_t unit = r->change[i].saddr >> t->shift;

        for (uint32_t k = 0; k < r->change[i].len; k++) {
            g_tree_remove(t->dirty, (gpointer)(uintptr_t)(unit + k));
        }
    }
}

static uint16_t lm_track_report(NvmeCtrl *pf, NvmeRequest *req, NvmeCtrl *vf,
                                uint64_t len)
{
    NvmeLmTrack *t = &vf->lm->track;
    uint32_t room = MIN((len - sizeof(LmTrackRecv)) / sizeof(LmTrackChange),
                        pf->lm->track_batch);
    g_autofree LmTrackChange *change = g_new(LmTrackChange, room);
    g_autofree uint8_t *buf = g_malloc(len);
    LmReport r = { .change = change, .room = room, .shift = t->shift };
    LmTrackRecv head = {};
    LmTrackChange *out = (LmTrackChange *)(buf + sizeof(head));
    uint16_t status;

    if (t->nr) {
        g_tree_foreach(t->dirty, lm_report_unit, &r);
    }
    memset(buf, BEYOND_END, len);
    head.attrb = (r.more ? LM_TRACK_MTR : 0) |
                 (vf->lm->state == LM_SUSPENDED ? LM_TRACK_SUSP : 0);
    head.cntlid = cpu_to_le16(vf->cntlid);
    head.ntmcd = cpu_to_le32(pf->lm->lies & LM_LIE_OVERFLOW ?
                             (len - sizeof(head)) / sizeof(*out) + 1 : r.nr);
    head.rpmpg = cpu_to_le16(t->nr ? t->shift - LM_TRACK_SHIFT : 0);
    memcpy(buf, &head, sizeof(head));
    for (uint32_t i = 0; i < r.nr; i++) {
        out[i] = (LmTrackChange) {
            .saddr = cpu_to_le64(change[i].saddr),
            .len = cpu_to_le32(change[i].len),
        };
    }
    status = nvme_lm_c2h(pf, buf, len, req);
    if (!status) {
        lm_report_told(t, &r);
    }
    return status;
}

uint16_t nvme_lm_track_recv(NvmeCtrl *pf, NvmeRequest *req)
{
    uint32_t dw10 = le32_to_cpu(req->cmd.cdw10);
    uint32_t dw11 = le32_to_cpu(req->cmd.cdw11);
    uint64_t len = ((uint64_t)le32_to_cpu(req->cmd.cdw12) + 1) * 4;
    bool online;
    NvmeCtrl *vf = nvme_lm_target(pf, dw11, &online);
    uint16_t status;

    if (dw10 != TRACK_RECV_MEMORY || dw11 >> 16 || req->cmd.cdw13 ||
        req->cmd.cdw14 || req->cmd.cdw15) {
        return LM_BAD_FIELD;
    }
    if (!vf || (!vf->lm->track.nr && !pf->lm->track_void)) {
        return LM_BAD_CNTLID;
    }
    /* with less room, there could be something to report but no room for it */
    if (len < sizeof(LmTrackRecv) +
              (pf->lm->track_short ? 0 : sizeof(LmTrackChange))) {
        return LM_BAD_FIELD;
    }
    status = nvme_lm_check_mdts(pf, len);
    if (status) {
        return status;
    }
    return lm_track_report(pf, req, vf, len);
}
