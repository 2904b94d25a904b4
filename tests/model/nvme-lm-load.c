/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: bytes into a controller.
 *
 * The bytes are untrusted. They are checked for consistency and against the
 * target before anything is changed; a check that fails returns the reason and
 * leaves the target as it was.
 */

#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "hw/pci/pcie_sriov.h"
#include "nvme-lm-priv.h"

const char nvme_lm_offline[] = "the target is offline";

/* a state taken apart, pointing into its bytes */
typedef struct LmParts {
    const LmNvme   *nvme;
    const LmSq     *sq;
    const LmCq     *cq;
    unsigned       niosq, niocq;

    const LmVendor *v;
    const uint8_t  *aers;
    const LmEvent  *events;
    const LmCqe    *cqes;
    unsigned       nr_aers, nr_events, nr_cqes;

    /* which the queues will depend on */
    uint32_t       cc;
    bool           live;
} LmParts;

static bool lm_zero(const void *p, size_t len)
{
    const uint8_t *b = p;

    while (len--) {
        if (*b++) {
            return false;
        }
    }
    return true;
}

const char *nvme_lm_check_header(const uint8_t *buf, uint64_t *nvme_len,
                                 uint64_t *vendor_len)
{
    const LmHeader *h = (const LmHeader *)buf;
    uint64_t nvme = le64_to_cpu(h->nvmecss), vendor = le64_to_cpu(h->vss);

    if (h->ver) {
        return "unknown version of the state";
    }
    if (h->csattr & ~LM_CSATTR_CP || !lm_zero(h->rsvd3, sizeof(h->rsvd3))) {
        return "reserved field in the header";
    }
    if (h->nvmecss_hi || h->vss_hi || nvme > LM_MAX_STATE / 4 ||
        vendor > LM_MAX_STATE / 4 ||
        sizeof(*h) + (nvme + vendor) * 4 > LM_MAX_STATE) {
        return "state is too large";
    }
    *nvme_len = nvme * 4;
    *vendor_len = vendor * 4;
    return NULL;
}

static const char *lm_split_nvme(LmParts *p, const uint8_t *buf, uint64_t len)
{
    if (!len) {
        return NULL;
    }
    if (len < sizeof(LmNvme)) {
        return "NVMe part is too short";
    }
    p->nvme = (const LmNvme *)buf;
    p->niosq = le16_to_cpu(p->nvme->niosq);
    p->niocq = le16_to_cpu(p->nvme->niocq);
    if (p->nvme->ver || p->nvme->rsvd6) {
        return "unknown version of the NVMe part";
    }
    if (len != sizeof(LmNvme) + p->niosq * sizeof(LmSq) +
               p->niocq * sizeof(LmCq)) {
        return "NVMe part and its queues differ in length";
    }
    p->sq = (const LmSq *)(p->nvme + 1);
    p->cq = (const LmCq *)(p->sq + p->niosq);
    return NULL;
}

static const char *lm_split_vendor(LmParts *p, const uint8_t *buf,
                                   uint64_t len)
{
    uint64_t at = sizeof(LmVendor), pad;

    if (!len) {
        return NULL;
    }
    if (len < sizeof(LmVendor)) {
        return "vendor part is too short";
    }
    p->v = (const LmVendor *)buf;
    if (le32_to_cpu(p->v->magic) != LM_MAGIC ||
        le16_to_cpu(p->v->version) != LM_VERSION ||
        le16_to_cpu(p->v->fixed_len) != sizeof(LmVendor)) {
        return "vendor part of another format";
    }
    p->nr_aers = le16_to_cpu(p->v->nr_aers);
    p->nr_events = le16_to_cpu(p->v->nr_events);
    p->nr_cqes = le32_to_cpu(p->v->nr_cqes);
    pad = le32_to_cpu(p->v->pad_len);

    p->aers = buf + at;
    at += lm_aers_len(p->nr_aers);
    p->events = (const LmEvent *)(buf + at);
    at += le16_to_cpu(p->v->max_events) * sizeof(LmEvent);
    p->cqes = (const LmCqe *)(buf + at);
    at += (uint64_t)p->nr_cqes * sizeof(LmCqe);

    if (le32_to_cpu(p->v->length) != len || pad % 4 || at + pad != len) {
        return "vendor part and its contents differ in length";
    }
    if (p->nr_aers & 1 && lduw_le_p(p->aers + p->nr_aers * 2)) {
        return "reserved field after the AERs";
    }
    for (uint64_t i = 0; i < pad; i += 4) {
        if (ldl_le_p(buf + at + i) != lm_pad_dword(i / 4)) {
            return "padding is damaged";
        }
    }
    return NULL;
}

static const char *lm_check_reserved(const LmVendor *v)
{
    if (!lm_zero(v->rsvd33, sizeof(v->rsvd33)) || v->rsvd39 ||
        !lm_zero(v->rsvd97, sizeof(v->rsvd97)) || v->rsvd110 ||
        !lm_zero(v->rsvd149, sizeof(v->rsvd149)) ||
        v->flags & ~(LM_F_LIVE | LM_F_DBBUF)) {
        return "reserved field in the vendor part";
    }
    return NULL;
}

static const char *lm_check_compatible(NvmeCtrl *vf, const LmVendor *v)
{
    if (v->cap != vf->bar.cap || v->vs != vf->bar.vs) {
        return "controller capabilities differ";
    }
    if (le16_to_cpu(v->nr_ioqpairs) != vf->conf_ioqpairs) {
        return "number of queues differs";
    }
    if (le16_to_cpu(v->nr_vectors) != vf->conf_msix_qsize) {
        return "number of interrupt vectors differs";
    }
    if (v->mdts != vf->params.mdts) {
        return "maximum data transfer size differs";
    }
    return NULL;
}

static const char *lm_check_registers(NvmeCtrl *vf, const LmVendor *v)
{
    uint64_t cap = ldq_le_p(&vf->bar.cap);
    uint32_t cc = le32_to_cpu(v->cc), csts = le32_to_cpu(v->csts);
    uint32_t aqa = le32_to_cpu(v->aqa);
    uint64_t mask = (4096ULL << NVME_CC_MPS(cc)) - 1;
    bool live = v->flags & LM_F_LIVE;
    uint32_t asqs = NVME_AQA_ASQS(aqa), acqs = NVME_AQA_ACQS(aqa);

    if (csts & ~(NVME_CSTS_READY | NVME_CSTS_FAILED |
                 CSTS_SHST_MASK << CSTS_SHST_SHIFT)) {
        return "unknown bit in CSTS";
    }
    if (NVME_CC_EN(cc) && !live && !(csts & NVME_CSTS_FAILED)) {
        return "enabled without an admin queue";
    }
    if (!live) {
        if (csts & NVME_CSTS_READY) {
            return "ready without an admin queue";
        }
        if (v->asq_head || v->asq_tail || v->acq_head || v->acq_tail ||
            v->acq_phase || v->flags & LM_F_DBBUF) {
            return "queue state of a disabled controller";
        }
    } else {
        if (!NVME_CC_EN(cc)) {
            return "an admin queue on a disabled controller";
        }
        if (!(csts & (NVME_CSTS_READY | NVME_CSTS_FAILED))) {
            return "enabled but not ready";
        }
        if (!(NVME_CAP_CSS(cap) & (1 << NVME_CC_CSS(cc))) ||
            NVME_CC_MPS(cc) < NVME_CAP_MPSMIN(cap) ||
            NVME_CC_MPS(cc) > NVME_CAP_MPSMAX(cap)) {
            return "CC does not fit the controller";
        }
        if (!asqs || !acqs || le64_to_cpu(v->asq) & mask ||
            le64_to_cpu(v->acq) & mask) {
            return "admin queue of bad size or address";
        }
        if (le16_to_cpu(v->asq_head) > asqs ||
            le16_to_cpu(v->asq_tail) > asqs ||
            le16_to_cpu(v->acq_head) > acqs ||
            le16_to_cpu(v->acq_tail) > acqs || v->acq_phase > 1) {
            return "admin queue pointer beyond the queue";
        }
    }
    if ((le64_to_cpu(v->dbbuf_dbs) | le64_to_cpu(v->dbbuf_eis)) &
        (v->flags & LM_F_DBBUF ? mask : ~0ULL)) {
        return "bad address of a doorbell buffer";
    }
    return NULL;
}

static const char *lm_check_features(NvmeCtrl *vf, const LmVendor *v)
{
    uint32_t max = le32_to_cpu(v->atomic_max_write);
    NvmeIdCtrl *id = &vf->id_ctrl;

    if (le32_to_cpu(v->dn) > 1 || v->atomic_writes > 1 ||
        v->atomic_writes != vf->atomic.atomic_writes ||
        (max != vf->atomic.atomic_max_write_size &&
         max != le16_to_cpu(id->awun) + 1 &&
         max != le16_to_cpu(id->awupf) + 1)) {
        return "write atomicity does not fit the controller";
    }
    if (le64_to_cpu(v->changed_nsids[LM_NSID_WORDS - 1]) >>
        (NVME_CHANGED_NSID_SIZE - 64 * (LM_NSID_WORDS - 1))) {
        return "changed namespace beyond the last";
    }
    return NULL;
}

static const char *lm_check_aers(NvmeCtrl *vf, LmParts *p)
{
    unsigned max = le16_to_cpu(p->v->max_events);

    if (p->nr_aers > vf->params.aerl + 1 || (p->nr_aers && !p->live)) {
        return "more AERs than the controller takes";
    }
    if (p->nr_events > max || p->nr_events > vf->params.aer_max_queued) {
        return "more events than the controller takes";
    }
    for (unsigned i = 0; i < max; i++) {
        if (p->events[i].rsvd3 || p->events[i].type > 7 ||
            (i >= p->nr_events &&
             !lm_zero(&p->events[i], sizeof(LmEvent)))) {
            return "bad event";
        }
    }
    return NULL;
}

static const LmSq *lm_find_sq(LmParts *p, uint16_t qid)
{
    for (unsigned i = 0; i < p->niosq; i++) {
        if (le16_to_cpu(p->sq[i].qid) == qid) {
            return &p->sq[i];
        }
    }
    return NULL;
}

static const LmCq *lm_find_cq(LmParts *p, uint16_t qid)
{
    for (unsigned i = 0; i < p->niocq; i++) {
        if (le16_to_cpu(p->cq[i].qid) == qid) {
            return &p->cq[i];
        }
    }
    return NULL;
}

/* Every unposted completion occupies a command slot of its queue. */
static const char *lm_check_cqes(LmParts *p)
{
    g_autofree uint32_t *used = g_new0(uint32_t, 65536);

    used[0] = p->nr_aers;
    if (p->live && used[0] > NVME_AQA_ASQS(le32_to_cpu(p->v->aqa)) + 1) {
        return "more AERs than the admin queue has room";
    }
    for (unsigned i = 0; i < p->nr_cqes; i++) {
        uint16_t sqid = le16_to_cpu(p->cqes[i].sqid);
        const LmSq *sq = sqid ? lm_find_sq(p, sqid) : NULL;
        uint32_t size;

        if (!p->live || (sqid && !sq)) {
            return "completion for a queue that does not exist";
        }
        size = sqid ? le16_to_cpu(sq->qsize) + 1 :
                      NVME_AQA_ASQS(le32_to_cpu(p->v->aqa)) + 1;
        if (++used[sqid] > size) {
            return "more completions than the queue has room";
        }
        if (p->cqes[i].rsvd6 || le16_to_cpu(p->cqes[i].status) > 0x7fff) {
            return "bad completion";
        }
    }
    return NULL;
}

static const char *lm_check_cq(NvmeCtrl *vf, LmParts *p, unsigned i)
{
    const LmCq *c = &p->cq[i];
    uint64_t cap = ldq_le_p(&vf->bar.cap);
    uint64_t mask = (4096ULL << NVME_CC_MPS(p->cc)) - 1;
    uint32_t attr = le32_to_cpu(c->attr);
    uint16_t qid = le16_to_cpu(c->qid), qsize = le16_to_cpu(c->qsize);

    if (!qid || qid > vf->conf_ioqpairs ||
        (i && qid <= le16_to_cpu(p->cq[i - 1].qid))) {
        return "bad completion queue id";
    }
    if (!qsize || qsize > NVME_CAP_MQES(cap)) {
        return "bad completion queue size";
    }
    if (le64_to_cpu(c->prp1) & mask ||
        le64_to_cpu(c->prp1) + ((uint64_t)qsize + 1) * 16 <
        le64_to_cpu(c->prp1)) {
        return "bad completion queue address";
    }
    if (le16_to_cpu(c->head) > qsize || le16_to_cpu(c->tail) > qsize) {
        return "completion queue pointer beyond the queue";
    }
    if (!(attr & LM_CQ_PC) || attr & LM_CQ_RSVD || c->rsvd20) {
        return "bad completion queue attributes";
    }
    if (attr >> LM_CQ_IV_SHIFT >= vf->conf_msix_qsize) {
        return "bad interrupt vector";
    }
    return NULL;
}

static const char *lm_check_sq(NvmeCtrl *vf, LmParts *p, unsigned i)
{
    const LmSq *s = &p->sq[i];
    uint64_t cap = ldq_le_p(&vf->bar.cap);
    uint64_t mask = (4096ULL << NVME_CC_MPS(p->cc)) - 1;
    uint16_t qid = le16_to_cpu(s->qid), qsize = le16_to_cpu(s->qsize);

    if (!qid || qid > vf->conf_ioqpairs ||
        (i && qid <= le16_to_cpu(p->sq[i - 1].qid))) {
        return "bad submission queue id";
    }
    if (!qsize || qsize > NVME_CAP_MQES(cap)) {
        return "bad submission queue size";
    }
    if (le64_to_cpu(s->prp1) & mask ||
        le64_to_cpu(s->prp1) + ((uint64_t)qsize + 1) * 64 <
        le64_to_cpu(s->prp1)) {
        return "bad submission queue address";
    }
    if (le16_to_cpu(s->head) > qsize || le16_to_cpu(s->tail) > qsize) {
        return "submission queue pointer beyond the queue";
    }
    if (!(le16_to_cpu(s->attr) & LM_SQ_PC) ||
        le16_to_cpu(s->attr) & ~LM_SQ_ATTRS || s->rsvd20) {
        return "bad submission queue attributes";
    }
    if (!lm_find_cq(p, le16_to_cpu(s->cqid))) {
        return "submission queue without its completion queue";
    }
    return NULL;
}

static const char *lm_check_queues(NvmeCtrl *vf, LmParts *p)
{
    const char *why = NULL;

    if (p->v && (le16_to_cpu(p->v->niosq) != p->niosq ||
                 le16_to_cpu(p->v->niocq) != p->niocq)) {
        return "the parts differ in the number of queues";
    }
    if ((p->niosq || p->niocq) && !p->live) {
        return "I/O queues on a disabled controller";
    }
    if (p->niocq && (NVME_CC_IOSQES(p->cc) != NVME_SQES ||
                     NVME_CC_IOCQES(p->cc) != NVME_CQES)) {
        return "I/O queues with bad entry sizes";
    }
    for (unsigned i = 0; i < p->niocq && !why; i++) {
        why = lm_check_cq(vf, p, i);
    }
    for (unsigned i = 0; i < p->niosq && !why; i++) {
        why = lm_check_sq(vf, p, i);
    }
    return why;
}

static const char *lm_check(NvmeCtrl *vf, LmParts *p)
{
    const char *why = NULL;

    if (nvme_lm_has_ioqs(vf)) {
        return "the target has I/O queues";
    }
    p->cc = p->v ? le32_to_cpu(p->v->cc) : ldl_le_p(&vf->bar.cc);
    p->live = p->v ? p->v->flags & LM_F_LIVE : nvme_lm_is_live(vf);

    if (p->v) {
        why = lm_check_reserved(p->v) ?: lm_check_compatible(vf, p->v) ?:
              lm_check_registers(vf, p->v) ?: lm_check_features(vf, p->v) ?:
              lm_check_aers(vf, p);
    }
    why = why ?: lm_check_queues(vf, p);
    if (!why && p->v) {
        why = lm_check_cqes(p);
    }
    if (!why && p->live && !nvme_sctrl(vf)->scs) {
        why = nvme_lm_offline;  /* the last reason of all */
    }
    return why;
}

static void lm_apply_registers(NvmeCtrl *vf, const LmVendor *v)
{
    uint32_t csts = le32_to_cpu(v->csts);

    vf->bar.cc = v->cc;
    vf->bar.aqa = v->aqa;
    vf->bar.asq = v->asq;
    vf->bar.acq = v->acq;
    vf->bar.intms = vf->bar.intmc = v->intms;
    /* first, as the creation of queues looks at these */
    vf->dbbuf_enabled = v->flags & LM_F_DBBUF;
    vf->dbbuf_dbs = le64_to_cpu(v->dbbuf_dbs);
    vf->dbbuf_eis = le64_to_cpu(v->dbbuf_eis);

    if (v->flags & LM_F_LIVE) {
        int ret = nvme_lm_start_ctrl(vf);

        /* everything that it looks at has been checked */
        g_assert(!ret);
        vf->admin_sq.head = le16_to_cpu(v->asq_head);
        vf->admin_sq.tail = le16_to_cpu(v->asq_tail);
        vf->admin_cq.head = le16_to_cpu(v->acq_head);
        vf->admin_cq.tail = le16_to_cpu(v->acq_tail);
        vf->admin_cq.phase = v->acq_phase;
    }
    stl_le_p(&vf->bar.csts, csts);
}

static void lm_apply_features(NvmeCtrl *vf, const LmVendor *v)
{
    vf->aer_mask = v->aer_mask;
    vf->smart_critical_warning = v->smart_warning;
    vf->features.async_config = le32_to_cpu(v->async_config);
    vf->features.temp_thresh_hi = le16_to_cpu(v->temp_hi);
    vf->features.temp_thresh_low = le16_to_cpu(v->temp_low);
    vf->host_timestamp = le64_to_cpu(v->timestamp);
    vf->timestamp_set_qemu_clock_ms =
        qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) - le64_to_cpu(v->timestamp_age);
    vf->dn = le32_to_cpu(v->dn);
    vf->atomic.atomic_max_write_size = le32_to_cpu(v->atomic_max_write);
    memcpy(&vf->features.hbs, v->hbs, sizeof(v->hbs));
    bitmap_zero(vf->changed_nsids, NVME_CHANGED_NSID_SIZE);
    for (unsigned i = 0; i < NVME_CHANGED_NSID_SIZE; i++) {
        if (le64_to_cpu(v->changed_nsids[i / 64]) >> i % 64 & 1) {
            set_bit(i, vf->changed_nsids);
        }
    }
}

static void lm_apply_queues(NvmeCtrl *vf, LmParts *p)
{
    for (unsigned i = 0; i < p->niocq; i++) {
        const LmCq *c = &p->cq[i];
        uint32_t attr = le32_to_cpu(c->attr);
        bool slot0 = attr & LM_CQ_S0PT;
        NvmeCQueue *cq = g_new0(NvmeCQueue, 1);

        nvme_lm_init_cq(cq, vf, le64_to_cpu(c->prp1), le16_to_cpu(c->qid),
                        attr >> LM_CQ_IV_SHIFT, le16_to_cpu(c->qsize) + 1,
                        !!(attr & LM_CQ_IEN));
        cq->head = le16_to_cpu(c->head);
        cq->tail = le16_to_cpu(c->tail);
        cq->phase = cq->tail ? slot0 : !slot0;
        vf->qs_created = true;
    }
    for (unsigned i = 0; i < p->niosq; i++) {
        const LmSq *s = &p->sq[i];
        NvmeSQueue *sq = g_new0(NvmeSQueue, 1);

        nvme_lm_init_sq(sq, vf, le64_to_cpu(s->prp1), le16_to_cpu(s->qid),
                        le16_to_cpu(s->cqid), le16_to_cpu(s->qsize) + 1);
        sq->head = le16_to_cpu(s->head);
        sq->tail = le16_to_cpu(s->tail);
        sq->qprio = le16_to_cpu(s->attr) >> 1 & 3;
    }
}

static NvmeRequest *lm_take_req(NvmeSQueue *sq, uint16_t cid)
{
    NvmeRequest *req = QTAILQ_FIRST(&sq->req_list);

    QTAILQ_REMOVE(&sq->req_list, req, entry);
    memset(&req->cmd, 0, sizeof(req->cmd));
    memset(&req->cqe, 0, sizeof(req->cqe));
    req->ns = NULL;
    req->opaque = NULL;
    req->aiocb = NULL;
    req->status = NVME_SUCCESS;
    req->atomic_write = false;
    req->cmd.cid = cid;
    req->cqe.cid = cid;
    return req;
}

static void lm_apply_outstanding(NvmeCtrl *vf, LmParts *p)
{
    for (unsigned i = 0; i < p->nr_aers; i++) {
        uint16_t cid = lduw_he_p(p->aers + i * 2);
        NvmeRequest *req = lm_take_req(&vf->admin_sq, cid);

        req->cmd.opcode = NVME_ADM_CMD_ASYNC_EV_REQ;
        QTAILQ_INSERT_TAIL(&vf->admin_sq.out_req_list, req, entry);
        vf->aer_reqs[vf->outstanding_aers++] = req;
    }
    for (unsigned i = 0; i < p->nr_events; i++) {
        NvmeAsyncEvent *event = g_new0(NvmeAsyncEvent, 1);

        event->result.event_type = p->events[i].type;
        event->result.event_info = p->events[i].info;
        event->result.log_page = p->events[i].log;
        QTAILQ_INSERT_TAIL(&vf->aer_queue, event, entry);
        vf->aer_queued++;
    }
    for (unsigned i = 0; i < p->nr_cqes; i++) {
        NvmeSQueue *sq = vf->sq[le16_to_cpu(p->cqes[i].sqid)];
        NvmeRequest *req = lm_take_req(sq, p->cqes[i].cid);

        req->status = le16_to_cpu(p->cqes[i].status);
        req->cqe.result = p->cqes[i].dw0;
        req->cqe.dw1 = p->cqes[i].dw1;
        QTAILQ_INSERT_TAIL(&vf->cq[sq->cqid]->req_list, req, entry);
    }
}

/*
 * Takes a whole Controller State; the caller has made sure that VF is suspended
 * or offline. Returns NULL, or why the state is refused.
 */
const char *nvme_lm_load(NvmeCtrl *vf, const uint8_t *buf, uint64_t len)
{
    uint64_t nvme_len, vendor_len;
    LmParts p = {};
    const char *why;

    if (len < sizeof(LmHeader)) {
        return "state is too short";
    }
    why = nvme_lm_check_header(buf, &nvme_len, &vendor_len);
    if (!why && len != sizeof(LmHeader) + nvme_len + vendor_len) {
        why = "state and its header differ in length";
    }
    buf += sizeof(LmHeader);
    why = why ?: lm_split_nvme(&p, buf, nvme_len) ?:
          lm_split_vendor(&p, buf + nvme_len, vendor_len) ?:
          lm_check(vf, &p);
    if (why) {
        return why;
    }
    if (p.v) {
        nvme_lm_disable(vf);
        lm_apply_registers(vf, p.v);
        lm_apply_features(vf, p.v);
    }
    lm_apply_queues(vf, &p);
    if (p.v) {
        lm_apply_outstanding(vf, &p);
    }
    vf->lm->double_next = nvme_lm_pf(vf)->lm->lies & LM_LIE_DOUBLE_CQE;
    return NULL;
}

/* A good state whose target is offline is kept until the target is online. */
void nvme_lm_keep(NvmeCtrl *vf)
{
    NvmeLm *lm = vf->lm;

    g_clear_pointer(&lm->kept, g_byte_array_unref);
    lm->kept = g_byte_array_new();
    g_byte_array_append(lm->kept, lm->buf, lm->total);
}

/* VF has been reset. Returns true if it now has the state kept for it. */
bool nvme_lm_load_kept(NvmeCtrl *vf)
{
    g_autoptr(GByteArray) kept = g_steal_pointer(&vf->lm->kept);

    if (!kept || !PCI_DEVICE(vf)->enabled || !nvme_sctrl(vf)->scs) {
        return false;
    }
    vf->lm->refused = nvme_lm_load(vf, kept->data, kept->len);
    return !vf->lm->refused;
}
