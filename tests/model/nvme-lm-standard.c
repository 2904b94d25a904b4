/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: the standard set of NVMe 2.1,
 * Migration Send and Migration Receive.
 *
 * What a host must not do is refused even where the standard lets a device
 * ignore it, reserved bits included: the model is there to make a wrong driver
 * fail.
 */

#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/units.h"
#include "hw/pci/pcie_sriov.h"
#include "nvme-lm-priv.h"

enum {
    SEND_SUSPEND    = 0,
    SEND_RESUME     = 1,
    SEND_SET_STATE  = 2,
    RECV_GET_STATE  = 0,
};

#define CNS_SECONDARY_LIST  0x15
#define CNS_STATE_FORMATS   0x20
#define OTHER_VERSION       7
#define OTHER_UUID          0x80    /* in its first byte, and the magic's */
#define SEQ_FIRST           (1 << 0)
#define SEQ_LAST            (1 << 1)
#define BEYOND_END          0xa5    /* what Get returns after the state */

/* versions, and also of UUIDs */
static unsigned nvme_lm_nr_formats(NvmeCtrl *pf)
{
    return pf->lm->formats == LM_FORMATS_ONE ? 1 : 2;
}

/* Is it the other version, or UUID, that has this index? */
static bool nvme_lm_is_other(NvmeCtrl *pf, uint8_t index)
{
    return index == (pf->lm->formats == LM_FORMATS_TWO ? 1 : 2);
}

/*
 * Turns a state of the usual formats into one of the formats with these
 * indexes, or back; a state of other formats is refused then.
 */
static bool nvme_lm_change_format(NvmeCtrl *pf, uint8_t csvi, uint8_t csuuidi,
                                  uint8_t *state, bool back)
{
    LmHeader *h = (LmHeader *)state;
    uint8_t *nvme = state + sizeof(*h);
    uint64_t nvme_len = le64_to_cpu(h->nvmecss) * 4;
    uint64_t vendor_len = le64_to_cpu(h->vss) * 4;
    uint8_t *vendor = nvme + nvme_len;

    if (csvi && nvme_len) {
        uint16_t version = nvme_lm_is_other(pf, csvi) ? OTHER_VERSION : 0;

        if (back && lduw_le_p(nvme) != version) {
            return false;
        }
        stw_le_p(nvme, back ? 0 : version);
    }
    if (csuuidi && vendor_len && nvme_lm_is_other(pf, csuuidi)) {
        vendor[0] ^= OTHER_UUID;
    }
    return true;
}

bool nvme_lm_identify(NvmeCtrl *n, NvmeRequest *req, uint16_t *status)
{
    static const uint8_t uuid[16] = LM_UUID;
    unsigned nr = nvme_lm_nr_formats(n);
    NvmeIdentify *c = (NvmeIdentify *)&req->cmd;
    uint8_t list[NVME_IDENTIFY_DATA_SIZE] = {};

    if (pci_is_vf(PCI_DEVICE(n))) {
        return false;
    }
    if (nvme_lm_identify_ns(n, req, status)) {
        return true;
    }
    if (c->cns == CNS_SECONDARY_LIST && nvme_lm_lists_other(n)) {
        *status = nvme_lm_secondary_list(n, req);
        return true;
    }
    if (c->cns != CNS_STATE_FORMATS || !(n->lm->sets & LM_SET_STANDARD)) {
        return false;
    }
    list[0] = n->lm->no_format == LM_NO_VERSION ? 0 : nr;
    list[1] = n->lm->no_format == LM_NO_UUID ? 0 : nr;
    for (unsigned i = 0; i < list[0]; i++) {
        /* 0 is the layout of 2.1 */
        stw_le_p(list + 2 + 2 * i, nvme_lm_is_other(n, i + 1) ? OTHER_VERSION : 0);
    }
    for (unsigned i = 0; i < list[1]; i++) {
        uint8_t *at = list + 2 + 2 * list[0] + sizeof(uuid) * i;

        memcpy(at, uuid, sizeof(uuid));
        at[0] ^= nvme_lm_is_other(n, i + 1) ? OTHER_UUID : 0;
    }
    *status = nvme_lm_c2h(n, list, sizeof(list), req);
    return true;
}

/*
 * The VF behind a controller id; NULL unless it is a secondary controller of
 * this PF whose function exists.
 */
NvmeCtrl *nvme_lm_target(NvmeCtrl *pf, uint16_t cntlid, bool *online)
{
    NvmeSecCtrlEntry *sctrl = nvme_sctrl_for_cntlid(pf, cntlid);
    PCIDevice *vf;

    if (!sctrl) {
        return NULL;
    }
    vf = pcie_sriov_get_vf_at_index(PCI_DEVICE(pf),
                                    le16_to_cpu(sctrl->vfn) - 1);
    *online = sctrl->scs;
    return vf ? NVME(vf) : NULL;
}

static uint16_t nvme_lm_send_suspend(NvmeCtrl *pf, NvmeRequest *req)
{
    uint32_t dw10 = le32_to_cpu(req->cmd.cdw10);
    uint32_t dw11 = le32_to_cpu(req->cmd.cdw11);
    uint8_t stype = dw11 >> 16;
    bool online;
    NvmeCtrl *vf = nvme_lm_target(pf, dw11, &online);

    /* bit 31 deletes a queue of user data changes; there never is one */
    if (dw10 >> 8 || (dw11 >> 24 & 0x7f) || stype > 1) {
        return LM_BAD_FIELD;
    }
    if (!vf || !online) {
        return LM_BAD_CNTLID;
    }
    if (!stype) {
        vf->lm->told = true;
        return NVME_SUCCESS;
    }
    return nvme_lm_suspend(vf, req);
}

static uint16_t nvme_lm_send_resume(NvmeCtrl *pf, NvmeRequest *req)
{
    uint32_t dw10 = le32_to_cpu(req->cmd.cdw10);
    uint32_t dw11 = le32_to_cpu(req->cmd.cdw11);
    bool online;
    NvmeCtrl *vf = nvme_lm_target(pf, dw11, &online);

    if (dw10 >> 8 || dw11 >> 16) {
        return LM_BAD_FIELD;
    }
    if (!vf) {
        return LM_BAD_CNTLID;
    }
    if (!nvme_lm_suspended(vf)) {
        return LM_NOT_SUSPENDED;
    }
    return nvme_lm_resume(vf, req);
}

/* Room for what comes at [0, end); a known size is never outgrown. */
static void nvme_lm_grow(NvmeLm *lm, uint64_t end)
{
    uint64_t old = lm->alloc, want = ROUND_UP(MAX(end, lm->total), 4 * KiB);

    if (want <= old) {
        return;
    }
    lm->buf = g_realloc(lm->buf, want);
    memset(lm->buf + old, 0, want - old);
    lm->have = g_realloc(lm->have, want / 32);
    memset((uint8_t *)lm->have + old / 32, 0, (want - old) / 32);
    lm->alloc = want;
}

/* The whole header has come: is this a state for this controller? */
static uint16_t nvme_lm_judge_header(NvmeCtrl *vf)
{
    uint32_t empty = nvme_lm_pf(vf)->lm->empty_part;
    NvmeLm *lm = vf->lm;
    uint64_t nvme_len, vendor_len;

    lm->refused = nvme_lm_check_header(lm->buf, &nvme_len, &vendor_len);
    if (lm->refused) {
        return LM_BAD_FIELD;
    }
    if ((!lm->csvi != !nvme_len && empty != LM_EMPTY_NVME) ||
        (!lm->csuuidi != !vendor_len && empty != LM_EMPTY_VENDOR)) {
        lm->refused = "format index does not go with the part's length";
        return LM_BAD_FIELD;
    }
    if (nvme_len && nvme_lm_has_ioqs(vf)) {
        lm->refused = "the target has I/O queues";
        return LM_BAD_FIELD;
    }
    lm->total = sizeof(LmHeader) + nvme_len + vendor_len;
    if (lm->end > lm->total) {
        lm->refused = "data beyond the end of the state";
        return LM_BAD_FIELD;
    }
    return NVME_SUCCESS;
}

static uint16_t nvme_lm_commit(NvmeCtrl *vf)
{
    NvmeLm *lm = vf->lm;

    if (!lm->total ||
        find_first_zero_bit(lm->have, lm->total / 4) < lm->total / 4) {
        lm->refused = "not all of the state came";
        return LM_BAD_FIELD;
    }
    if (!nvme_lm_change_format(nvme_lm_pf(vf), lm->csvi, lm->csuuidi, lm->buf,
                               true)) {
        lm->refused = "a state of another version";
        return LM_BAD_FIELD;
    }
    lm->refused = nvme_lm_load(vf, lm->buf, lm->total);
    if (lm->refused == nvme_lm_offline && nvme_lm_pf(vf)->lm->set_offline) {
        nvme_lm_keep(vf);
        lm->refused = NULL;
    }
    if (lm->refused) {
        return LM_BAD_FIELD;
    }
    lm->uncommitted = false;
    nvme_lm_drop_seq(vf);
    if (lm->state == LM_RUNNING && nvme_sctrl(vf)->scs) {
        nvme_lm_go(vf);
    }
    return NVME_SUCCESS;
}

static uint16_t nvme_lm_set_piece(NvmeCtrl *pf, NvmeRequest *req, NvmeCtrl *vf,
                                  unsigned seqind)
{
    NvmeLm *lm = vf->lm;
    uint32_t dw11 = le32_to_cpu(req->cmd.cdw11);
    uint8_t csvi = dw11 >> 16, csuuidi = dw11 >> 24;
    uint64_t offset = le32_to_cpu(req->cmd.cdw12) |
                      (uint64_t)le32_to_cpu(req->cmd.cdw13) << 32;
    uint64_t len = (uint64_t)le32_to_cpu(req->cmd.cdw15) * 4;
    uint64_t limit = lm->total ?: LM_MAX_STATE;
    uint16_t status;

    if (csvi > nvme_lm_nr_formats(pf) || csuuidi > nvme_lm_nr_formats(pf) ||
        (!csvi && !csuuidi)) {
        return LM_BAD_FIELD;
    }
    if (!(seqind & SEQ_FIRST) &&
        (csvi != lm->csvi || csuuidi != lm->csuuidi)) {
        return LM_BAD_FIELD;
    }
    if (offset & 3 || offset > limit || len > limit - offset) {
        return LM_BAD_FIELD;
    }
    if (!len && seqind != SEQ_LAST) {
        return LM_BAD_FIELD;
    }
    status = nvme_lm_check_mdts(pf, len);
    if (status) {
        return status;
    }
    lm->csvi = csvi;
    lm->csuuidi = csuuidi;
    lm->seq = true;

    if (len) {
        nvme_lm_grow(lm, offset + len);
        status = nvme_lm_h2c(pf, lm->buf + offset, len, req);
        if (status) {
            return status;
        }
        lm->uncommitted = true;
        bitmap_set(lm->have, offset / 4, len / 4);
        lm->end = MAX(lm->end, offset + len);
        /* Also when it comes again, as it may be a different one. */
        if (offset < sizeof(LmHeader) || !lm->total) {
            if (find_first_zero_bit(lm->have, sizeof(LmHeader) / 4) >=
                sizeof(LmHeader) / 4) {
                status = nvme_lm_judge_header(vf);
                if (status) {
                    return status;
                }
                nvme_lm_grow(lm, lm->total);
            }
        }
    }
    if (!(seqind & SEQ_LAST)) {
        return NVME_SUCCESS;
    }
    return nvme_lm_commit(vf);
}

/* a target that is online */
static bool nvme_lm_takes_set(NvmeCtrl *pf, NvmeCtrl *vf)
{
    return nvme_lm_suspended(vf) ||
           (pf->lm->set_running && vf->lm->state == LM_RUNNING &&
            nvme_lm_is_live(vf) && nvme_lm_drained(vf));
}

/* other VFs of the PF that have received part of a state */
static uint32_t nvme_lm_sequences(NvmeCtrl *pf, NvmeCtrl *but)
{
    uint32_t nr = 0;

    for (unsigned i = 0; i < pf->nr_sec_ctrls; i++) {
        NvmeCtrl *vf = nvme_lm_vf_at(pf, i);

        nr += vf && vf != but && vf->lm->seq;
    }
    return nr;
}

static uint16_t nvme_lm_send_set(NvmeCtrl *pf, NvmeRequest *req)
{
    uint32_t dw10 = le32_to_cpu(req->cmd.cdw10);
    uint32_t dw11 = le32_to_cpu(req->cmd.cdw11);
    unsigned seqind = dw10 >> 16 & 3;
    bool online;
    NvmeCtrl *vf = nvme_lm_target(pf, dw11, &online);
    uint16_t status;

    if (dw10 >> 18 || (dw10 >> 8 & 0xff)) {
        return LM_BAD_FIELD;
    }
    if (!vf || (online && !nvme_lm_takes_set(pf, vf))) {
        return LM_BAD_CNTLID;
    }
    if (vf->lm->state == LM_RESUMING ||
        (!(seqind & SEQ_FIRST) && !vf->lm->seq)) {
        return LM_BAD_SEQUENCE;
    }
    if (seqind & SEQ_FIRST) {
        nvme_lm_drop_seq(vf);
        if (pf->lm->sequences && nvme_lm_sequences(pf, vf) >= pf->lm->sequences) {
            return LM_BUSY;
        }
    }
    status = nvme_lm_set_piece(pf, req, vf, seqind);
    if (status) {
        /* after a failure all of it must be sent again */
        nvme_lm_drop_seq(vf);
    }
    return status;
}

uint16_t nvme_lm_migration_send(NvmeCtrl *pf, NvmeRequest *req)
{
    /* no list of UUIDs, so no index into it */
    if (req->cmd.cdw14) {
        return LM_BAD_FIELD;
    }
    switch (le32_to_cpu(req->cmd.cdw10) & 0xff) {
    case SEND_SUSPEND:
        return nvme_lm_send_suspend(pf, req);
    case SEND_RESUME:
        return nvme_lm_send_resume(pf, req);
    case SEND_SET_STATE:
        return nvme_lm_send_set(pf, req);
    default:
        return LM_BAD_FIELD;
    }
}

uint16_t nvme_lm_migration_recv(NvmeCtrl *pf, NvmeRequest *req)
{
    uint32_t dw10 = le32_to_cpu(req->cmd.cdw10);
    uint32_t dw11 = le32_to_cpu(req->cmd.cdw11);
    uint8_t csvi = dw10 >> 16, csuuidi = dw11 >> 16;
    uint64_t offset = le32_to_cpu(req->cmd.cdw12) |
                      (uint64_t)le32_to_cpu(req->cmd.cdw13) << 32;
    uint64_t len = ((uint64_t)le32_to_cpu(req->cmd.cdw15) + 1) * 4;
    uint64_t total, from;
    bool online, cp;
    NvmeCtrl *vf = nvme_lm_target(pf, dw11, &online);
    g_autoptr(GByteArray) state = NULL;
    g_autofree uint8_t *buf = NULL;
    uint16_t status;

    if ((dw10 & 0xff) != RECV_GET_STATE || (dw10 >> 8 & 0xff) || dw10 >> 24 ||
        req->cmd.cdw14) {
        return LM_BAD_FIELD;
    }
    if (!vf || !online) {
        return LM_BAD_CNTLID;
    }
    if (csvi > nvme_lm_nr_formats(pf) || csuuidi > nvme_lm_nr_formats(pf) ||
        offset & 3) {
        return LM_BAD_FIELD;
    }
    status = nvme_lm_check_mdts(pf, len);
    if (status) {
        return status;
    }
    cp = nvme_lm_suspended(vf) && !(pf->lm->lies & LM_LIE_CSUP_CLEAR);
    state = nvme_lm_save(vf, csvi && pf->lm->empty_part != LM_EMPTY_NVME,
                         csuuidi && pf->lm->empty_part != LM_EMPTY_VENDOR,
                         cp, &total);
    if (offset > total) {
        return LM_BAD_FIELD;
    }
    nvme_lm_change_format(pf, csvi, csuuidi, state->data, false);
    if (pf->lm->lies & LM_LIE_HUGE) {
        ((LmHeader *)state->data)->nvmecss_hi = cpu_to_le64(1);
    }
    buf = g_malloc(len);
    memset(buf, BEYOND_END, len);
    if (offset < state->len) {
        memcpy(buf, state->data + offset, MIN(len, state->len - offset));
    }
    from = MAX(offset, state->len);
    if (from < MIN(total, offset + len)) {
        nvme_lm_save_pad(buf + (from - offset), from - state->len,
                         MIN(total, offset + len) - from);
    }
    status = nvme_lm_c2h(pf, buf, len, req);
    if (!status) {
        req->cqe.result = cpu_to_le32(cp);
    }
    return status;
}
