/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: a controller as bytes.
 *
 * The size depends on nothing that changes while the controller is suspended
 * (room for events is reserved), so that a host may read it piece by piece.
 */

#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/timer.h"
#include "hw/pci/pcie_sriov.h"
#include "nvme-lm-priv.h"

/* A lying device forgets one command; this says which, and only once. */
typedef struct LmLoss {
    bool        wanted;
    NvmeSQueue  *unfetched;
    NvmeRequest *unposted;
    bool        aer;
} LmLoss;

static void lm_choose_loss(NvmeCtrl *vf, LmLoss *loss)
{
    if (!loss->wanted) {
        return;
    }
    for (uint32_t i = 1; i < vf->params.max_ioqpairs + 1; i++) {
        if (vf->cq[i] && !QTAILQ_EMPTY(&vf->cq[i]->req_list)) {
            loss->unposted = QTAILQ_LAST(&vf->cq[i]->req_list);
            return;
        }
    }
    for (uint32_t i = 1; i < vf->params.max_ioqpairs + 1; i++) {
        if (vf->sq[i] && vf->sq[i]->head != vf->sq[i]->tail) {
            loss->unfetched = vf->sq[i];
            return;
        }
    }
    loss->aer = vf->outstanding_aers > 0;
}

static void lm_put(GByteArray *out, const void *data, size_t len)
{
    g_byte_array_append(out, data, len);
}

static void lm_put_sq(GByteArray *out, NvmeSQueue *sq, LmLoss *loss)
{
    uint32_t head = sq->head;
    LmSq s = {};

    if (sq == loss->unfetched) {
        head = (head + 1) % sq->size;
    }
    s.prp1 = cpu_to_le64(sq->dma_addr);
    s.qsize = cpu_to_le16(sq->size - 1);
    s.qid = cpu_to_le16(sq->sqid);
    s.cqid = cpu_to_le16(sq->cqid);
    s.attr = cpu_to_le16(LM_SQ_PC | sq->qprio << 1);
    s.head = cpu_to_le16(head);
    s.tail = cpu_to_le16(sq->tail);
    lm_put(out, &s, sizeof(s));
}

static void lm_put_cq(GByteArray *out, NvmeCQueue *cq)
{
    /*
     * The phase we keep is that of the next entry: slot 0 has it too, unless
     * slot 0 is that next entry and still carries the phase of the last round.
     */
    bool slot0 = cq->tail ? cq->phase : !cq->phase;
    LmCq c = {};

    c.prp1 = cpu_to_le64(cq->dma_addr);
    c.qsize = cpu_to_le16(cq->size - 1);
    c.qid = cpu_to_le16(cq->cqid);
    c.head = cpu_to_le16(cq->head);
    c.tail = cpu_to_le16(cq->tail);
    c.attr = cpu_to_le32(LM_CQ_PC | (cq->irq_enabled ? LM_CQ_IEN : 0) |
                         (slot0 ? LM_CQ_S0PT : 0) |
                         cq->vector << LM_CQ_IV_SHIFT);
    lm_put(out, &c, sizeof(c));
}

static void lm_put_nvme(GByteArray *out, NvmeCtrl *vf, LmLoss *loss,
                        unsigned niosq, unsigned niocq)
{
    LmNvme part = {
        .niosq = cpu_to_le16(niosq),
        .niocq = cpu_to_le16(niocq),
    };

    lm_put(out, &part, sizeof(part));
    for (uint32_t i = 1; i < vf->params.max_ioqpairs + 1; i++) {
        if (vf->sq[i]) {
            lm_put_sq(out, vf->sq[i], loss);
        }
    }
    for (uint32_t i = 1; i < vf->params.max_ioqpairs + 1; i++) {
        if (vf->cq[i]) {
            lm_put_cq(out, vf->cq[i]);
        }
    }
}

static unsigned lm_put_cqes(GByteArray *out, NvmeCtrl *vf, LmLoss *loss)
{
    unsigned nr = 0;
    NvmeRequest *req;

    for (uint32_t i = 0; i < vf->params.max_ioqpairs + 1; i++) {
        if (!vf->cq[i]) {
            continue;
        }
        QTAILQ_FOREACH(req, &vf->cq[i]->req_list, entry) {
            LmCqe e = {
                .sqid = cpu_to_le16(req->sq->sqid),
                .cid = req->cqe.cid,
                .status = cpu_to_le16(req->status),
                .dw0 = req->cqe.result,
                .dw1 = req->cqe.dw1,
            };

            if (req == loss->unposted) {
                continue;
            }
            lm_put(out, &e, sizeof(e));
            nr++;
        }
    }
    return nr;
}

static void lm_put_events(GByteArray *out, NvmeCtrl *vf, unsigned room,
                          unsigned *nr)
{
    NvmeAsyncEvent *event;
    LmEvent none = {};

    *nr = 0;
    QTAILQ_FOREACH(event, &vf->aer_queue, entry) {
        LmEvent e = {
            .type = event->result.event_type,
            .info = event->result.event_info,
            .log = event->result.log_page,
        };

        if (*nr == room) {
            break;
        }
        lm_put(out, &e, sizeof(e));
        (*nr)++;
    }
    for (unsigned i = *nr; i < room; i++) {
        lm_put(out, &none, sizeof(none));
    }
}

static void lm_fill_registers(LmVendor *v, NvmeCtrl *vf)
{
    /* The registers are kept in little endian. */
    v->cap = vf->bar.cap;
    v->vs = vf->bar.vs;
    v->cc = vf->bar.cc;
    v->csts = vf->bar.csts;
    v->intms = vf->bar.intms;
    v->aqa = vf->bar.aqa;
    v->asq = vf->bar.asq;
    v->acq = vf->bar.acq;
    v->nr_ioqpairs = cpu_to_le16(vf->conf_ioqpairs);
    v->nr_vectors = cpu_to_le16(vf->conf_msix_qsize);
    v->mdts = vf->params.mdts;
}

static void lm_fill_features(LmVendor *v, NvmeCtrl *vf)
{
    uint64_t now = qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL);

    v->aer_mask = vf->aer_mask;
    v->smart_warning = vf->smart_critical_warning;
    v->async_config = cpu_to_le32(vf->features.async_config);
    v->temp_hi = cpu_to_le16(vf->features.temp_thresh_hi);
    v->temp_low = cpu_to_le16(vf->features.temp_thresh_low);
    v->timestamp = cpu_to_le64(vf->host_timestamp);
    v->timestamp_age = cpu_to_le64(now - vf->timestamp_set_qemu_clock_ms);
    v->dn = cpu_to_le32(vf->dn);
    v->atomic_max_write = cpu_to_le32(vf->atomic.atomic_max_write_size);
    v->atomic_writes = vf->atomic.atomic_writes;
    memcpy(v->hbs, &vf->features.hbs, sizeof(v->hbs));
    for (unsigned i = 0; i < NVME_CHANGED_NSID_SIZE; i++) {
        if (test_bit(i, vf->changed_nsids)) {
            v->changed_nsids[i / 64] |= cpu_to_le64(1ULL << i % 64);
        }
    }
}

static void lm_fill_admin(LmVendor *v, NvmeCtrl *vf)
{
    if (vf->dbbuf_enabled) {
        v->flags |= LM_F_DBBUF;
        v->dbbuf_dbs = cpu_to_le64(vf->dbbuf_dbs);
        v->dbbuf_eis = cpu_to_le64(vf->dbbuf_eis);
    }
    if (nvme_lm_is_live(vf)) {
        v->flags |= LM_F_LIVE;
        v->asq_head = cpu_to_le16(vf->admin_sq.head);
        v->asq_tail = cpu_to_le16(vf->admin_sq.tail);
        v->acq_head = cpu_to_le16(vf->admin_cq.head);
        v->acq_tail = cpu_to_le16(vf->admin_cq.tail);
        v->acq_phase = vf->admin_cq.phase;
    }
}

static void lm_put_vendor(GByteArray *out, NvmeCtrl *vf, LmLoss *loss,
                          unsigned niosq, unsigned niocq, uint64_t pad)
{
    unsigned start = out->len, nr_events, nr_aers = vf->outstanding_aers;
    unsigned room = MIN(vf->params.aer_max_queued, LM_MAX_EVENTS);
    unsigned nr_cqes;
    uint16_t zero = 0;
    LmVendor v = {
        .magic = cpu_to_le32(LM_MAGIC),
        .version = cpu_to_le16(LM_VERSION),
        .fixed_len = cpu_to_le16(sizeof(v)),
        .pad_len = cpu_to_le32(pad),
        .niosq = cpu_to_le16(niosq),
        .niocq = cpu_to_le16(niocq),
        .max_events = cpu_to_le16(room),
    };

    lm_fill_registers(&v, vf);
    lm_fill_features(&v, vf);
    lm_fill_admin(&v, vf);
    if (loss->aer) {
        nr_aers--;
    }
    v.nr_aers = cpu_to_le16(nr_aers);
    lm_put(out, &v, sizeof(v));

    for (unsigned i = 0; i < nr_aers; i++) {
        lm_put(out, &vf->aer_reqs[i]->cqe.cid, sizeof(uint16_t));
    }
    if (nr_aers & 1) {
        lm_put(out, &zero, sizeof(zero));
    }
    lm_put_events(out, vf, room, &nr_events);
    nr_cqes = lm_put_cqes(out, vf, loss);

    v.nr_events = cpu_to_le16(nr_events);
    v.nr_cqes = cpu_to_le32(nr_cqes);
    v.length = cpu_to_le32(out->len - start + pad);
    memcpy(out->data + start, &v, sizeof(v));
}

/*
 * The Controller State without the padding, which may be large:
 * nvme_lm_save_pad() writes it where it is wanted. TOTAL includes it.
 */
GByteArray *nvme_lm_save(NvmeCtrl *vf, bool nvme_part, bool vendor_part,
                         bool cp, uint64_t *total)
{
    NvmeLm *lm = nvme_lm_pf(vf)->lm;
    uint64_t pad = vendor_part ? lm->pad : 0;
    GByteArray *out = g_byte_array_new();
    LmLoss loss = { .wanted = lm->lies & LM_LIE_LOSE_CQE };
    unsigned niosq = 0, niocq = 0;
    uint64_t nvme_len;
    LmHeader h = {};

    for (uint32_t i = 1; i < vf->params.max_ioqpairs + 1; i++) {
        niosq += vf->sq[i] != NULL;
        niocq += vf->cq[i] != NULL;
    }
    lm_choose_loss(vf, &loss);
    lm_put(out, &h, sizeof(h));
    if (nvme_part) {
        lm_put_nvme(out, vf, &loss, niosq, niocq);
    }
    nvme_len = out->len - sizeof(h);
    if (vendor_part) {
        lm_put_vendor(out, vf, &loss, niosq, niocq, pad);
    }
    *total = out->len + pad;

    h.csattr = cp ? LM_CSATTR_CP : 0;
    h.nvmecss = cpu_to_le64(nvme_len / 4);
    h.vss = cpu_to_le64((*total - sizeof(h) - nvme_len) / 4);
    memcpy(out->data, &h, sizeof(h));
    return out;
}

/* Both OFFSET, from the start of the padding, and LEN are whole dwords. */
void nvme_lm_save_pad(uint8_t *buf, uint64_t offset, uint64_t len)
{
    for (uint64_t i = 0; i < len; i += 4) {
        stl_le_p(buf + i, lm_pad_dword((offset + i) / 4));
    }
}
