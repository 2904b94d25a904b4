/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: the vendor set of 2022, which
 * moves the whole state as one blob and names VFs by their number.
 *
 * The set defines no status codes. Ours: Invalid Field for a bad operand or
 * blob, Command Sequence Error for the wrong moment.
 */

#include "qemu/osdep.h"
#include "hw/pci/pcie_sriov.h"
#include "nvme-lm-priv.h"

static NvmeCtrl *nvme_lm_vf_number(NvmeCtrl *pf, uint32_t dw10)
{
    PCIDevice *vf;

    /* numbers start at 1; the upper half is reserved */
    if (!dw10 || dw10 > pf->nr_sec_ctrls || !pf->sec_ctrl_list[dw10 - 1].scs) {
        return NULL;
    }
    vf = pcie_sriov_get_vf_at_index(PCI_DEVICE(pf), dw10 - 1);
    return vf ? NVME(vf) : NULL;
}

static uint64_t nvme_lm_blob_len(NvmeCtrl *vf)
{
    uint64_t total;
    g_autoptr(GByteArray) state = nvme_lm_save(vf, true, true, false, &total);

    return sizeof(LmBlob) + total;
}

static uint16_t nvme_lm_vendor_save(NvmeCtrl *pf, NvmeRequest *req,
                                    NvmeCtrl *vf)
{
    uint64_t total, len;
    g_autoptr(GByteArray) state = nvme_lm_save(vf, true, true, true, &total);
    g_autofree uint8_t *buf = NULL;
    LmBlob blob = {
        .magic = LM_BLOB_MAGIC,
        .version = cpu_to_le32(LM_VERSION),
        .header_len = cpu_to_le32(sizeof(blob)),
    };
    uint16_t status;

    len = sizeof(blob) + total;
    status = nvme_lm_check_mdts(pf, len);
    if (status) {
        return status;
    }
    blob.length = cpu_to_le64(len);
    buf = g_malloc(len);
    memcpy(buf, &blob, sizeof(blob));
    memcpy(buf + sizeof(blob), state->data, state->len);
    nvme_lm_save_pad(buf + sizeof(blob) + state->len, 0, total - state->len);
    status = nvme_lm_c2h(pf, buf, len, req);
    if (!status) {
        /* as this set has it: what was saved exists only in the blob */
        nvme_lm_disable(vf);
    }
    return status;
}

static const char *nvme_lm_blob_check(const LmBlob *blob, uint64_t len)
{
    if (memcmp(blob->magic, LM_BLOB_MAGIC, sizeof(blob->magic)) ||
        le32_to_cpu(blob->version) != LM_VERSION ||
        le32_to_cpu(blob->header_len) != sizeof(*blob) || blob->rsvd24) {
        return "blob of another format";
    }
    if (le64_to_cpu(blob->length) != len) {
        return "blob and its header differ in length";
    }
    return NULL;
}

static uint16_t nvme_lm_vendor_load(NvmeCtrl *pf, NvmeRequest *req,
                                    NvmeCtrl *vf)
{
    uint64_t len = le32_to_cpu(req->cmd.cdw11);
    g_autofree uint8_t *buf = NULL;
    uint16_t status;

    if (len < sizeof(LmBlob) + sizeof(LmHeader) || len % 4) {
        return LM_BAD_FIELD;
    }
    status = nvme_lm_check_mdts(pf, len);
    if (status) {
        return status;
    }
    buf = g_malloc(len);
    status = nvme_lm_h2c(pf, buf, len, req);
    if (status) {
        return status;
    }
    vf->lm->refused = nvme_lm_blob_check((LmBlob *)buf, len) ?:
        nvme_lm_load(vf, buf + sizeof(LmBlob), len - sizeof(LmBlob));
    return vf->lm->refused ? LM_BAD_FIELD : NVME_SUCCESS;
}

uint16_t nvme_lm_vendor_drained(NvmeCtrl *pf, NvmeRequest *req, NvmeCtrl *vf)
{
    if (req->cmd.opcode == LM_ADM_SAVE) {
        return nvme_lm_vendor_save(pf, req, vf);
    }
    if (req->cmd.opcode == LM_ADM_QUERY_SIZE) {
        req->cqe.result = cpu_to_le32(nvme_lm_blob_len(vf));
    }
    return NVME_SUCCESS;
}

uint16_t nvme_lm_vendor_cmd(NvmeCtrl *pf, NvmeRequest *req)
{
    NvmeCmd *cmd = &req->cmd;
    NvmeCtrl *vf = nvme_lm_vf_number(pf, le32_to_cpu(cmd->cdw10));
    bool load = cmd->opcode == LM_ADM_LOAD;

    if (!vf || (cmd->cdw11 && !load) || cmd->cdw12 || cmd->cdw13 ||
        cmd->cdw14 || cmd->cdw15) {
        return LM_BAD_FIELD;
    }
    /* what drains changes the size */
    if (vf->lm->lazy && (cmd->opcode == LM_ADM_SAVE ||
                         cmd->opcode == LM_ADM_QUERY_SIZE)) {
        return nvme_lm_drain_now(vf, req);
    }
    switch (cmd->opcode) {
    case LM_ADM_QUERY_SIZE:
        req->cqe.result = cpu_to_le32(nvme_lm_blob_len(vf));
        return NVME_SUCCESS;
    case LM_ADM_SUSPEND:
        return pf->lm->vendor_drain_ms ? nvme_lm_suspend_lazily(vf, req) :
                                         nvme_lm_suspend(vf, req);
    }
    if (vf->lm->lazy && cmd->opcode == LM_ADM_RESUME) {
        return nvme_lm_resume(vf, req);
    }
    if (vf->lm->state != LM_SUSPENDED) {
        return LM_BAD_SEQUENCE;
    }
    switch (cmd->opcode) {
    case LM_ADM_RESUME:
        return nvme_lm_resume(vf, req);
    case LM_ADM_SAVE:
        return nvme_lm_vendor_save(pf, req, vf);
    default:
        if (nvme_lm_is_live(vf)) {
            return LM_BAD_SEQUENCE;
        }
        return nvme_lm_vendor_load(pf, req, vf);
    }
}
