/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: switching it on and off, and how
 * one admin command of the PF passes through it.
 */

#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "hw/pci/pcie_sriov.h"
#include "nvme-lm-priv.h"

#define LM_MODEL_STOCK  "QEMU NVMe Ctrl"

/* VF objects exist from the PF's creation on; NULL if the PF has none. */
NvmeCtrl *nvme_lm_vf_at(NvmeCtrl *pf, unsigned index)
{
    PCIDevice **vf = PCI_DEVICE(pf)->exp.sriov_pf.vf;

    return vf && vf[index] ? NVME(vf[index]) : NULL;
}

static void nvme_lm_name(NvmeCtrl *n, NvmeLm *lm)
{
    NvmeIdCtrl *id = &n->id_ctrl;

    strpadcpy((char *)id->mn, sizeof(id->mn),
              lm->model && *lm->model ? lm->model : LM_MODEL_STOCK, ' ');
    strpadcpy((char *)id->fr, sizeof(id->fr),
              lm->firmware && *lm->firmware ? lm->firmware : QEMU_VERSION,
              ' ');
}

static void nvme_lm_enable(NvmeCtrl *pf, uint8_t opcode, bool on)
{
    pf->cse.acs[opcode] = on ? NVME_CMD_EFF_CSUPP : 0;
}

static void nvme_lm_apply_track(NvmeCtrl *pf, bool on)
{
    uint8_t *id = (uint8_t *)&pf->id_ctrl;
    NvmeLm *lm = pf->lm;

    nvme_lm_enable(pf, LM_ADM_TRACK_SEND, on);
    nvme_lm_enable(pf, LM_ADM_TRACK_RECV, on);
    stw_le_p(id + LM_ID_CMMRTD, on ? lm->track_cmmrtd : 0);
    stw_le_p(id + LM_ID_NMMRTD, on ? lm->track_nmmrtd : 0);
    id[LM_ID_MINMRTG] = on ? lm->track_min : 0;
    id[LM_ID_MAXMRTG] = on ? lm->track_max : 0;
    id[LM_ID_TRATTR] = on ? LM_TRATTR_THMCS |
                            (lm->track_pow2 ? LM_TRATTR_MRTLL : 0) : 0;
    for (unsigned i = 0; i < pf->nr_sec_ctrls && !on; i++) {
        NvmeCtrl *vf = nvme_lm_vf_at(pf, i);

        if (vf) {
            nvme_lm_track_end(vf);
        }
    }
}

/* Make what the PF and its VFs show agree with the properties. */
void nvme_lm_apply(NvmeCtrl *pf)
{
    NvmeLm *lm = pf->lm;
    NvmeIdCtrl *id = &pf->id_ctrl;
    uint16_t oacs = le16_to_cpu(id->oacs) & ~(LM_OACS_HMLMS | NVME_OACS_NMS);
    bool std = lm->sets & LM_SET_STANDARD;
    bool vendor = lm->sets & LM_SET_VENDOR;

    id->oacs = cpu_to_le16(oacs | (std ? LM_OACS_HMLMS : 0) |
                           (lm->ns_manage ? NVME_OACS_NMS : 0));
    id->vs[0] = vendor;
    stw_le_p((uint8_t *)id + LM_ID_CRDT1, lm->crdt);
    nvme_lm_enable(pf, LM_ADM_SEND, std);
    nvme_lm_enable(pf, LM_ADM_RECV, std);
    nvme_lm_apply_track(pf, std && lm->track_on);
    nvme_lm_enable(pf, LM_ADM_QUERY_SIZE, vendor);
    nvme_lm_enable(pf, LM_ADM_SUSPEND, vendor);
    nvme_lm_enable(pf, LM_ADM_RESUME, vendor);
    nvme_lm_enable(pf, LM_ADM_SAVE, vendor);
    nvme_lm_enable(pf, LM_ADM_LOAD, vendor);
    nvme_lm_enable(pf, LM_ADM_TEST_SET, lm->test);
    nvme_lm_enable(pf, LM_ADM_TEST_GET, lm->test);

    nvme_lm_name(pf, lm);
    for (unsigned i = 0; i < pf->nr_sec_ctrls; i++) {
        NvmeCtrl *vf = nvme_lm_vf_at(pf, i);

        if (vf) {
            nvme_lm_name(vf, lm);
            /* a Suspend may have waited for the value to change */
            nvme_lm_progress(vf);
        }
    }
}

void nvme_lm_init_ctrl(NvmeCtrl *n)
{
    if (pci_is_vf(PCI_DEVICE(n))) {
        nvme_lm_name(n, nvme_lm_pf(n)->lm);
    } else {
        nvme_lm_test_started(n->lm);
        nvme_lm_apply(n);
    }
}

void nvme_lm_instance_init(Object *obj)
{
    NvmeCtrl *n = NVME(obj);

    n->lm = g_new0(NvmeLm, 1);
    nvme_lm_test_init(obj);
}

void nvme_lm_instance_finalize(Object *obj)
{
    NvmeCtrl *n = NVME(obj);
    NvmeLm *lm = n->lm;

    nvme_lm_drop_seq(n);
    g_clear_pointer(&lm->kept, g_byte_array_unref);
    nvme_lm_track_end(n);
    nvme_lm_free_late(lm);
    nvme_lm_test_finalize(lm);
    if (lm->waiting) {
        g_ptr_array_free(lm->waiting, true);
        timer_free(lm->timer);
        qemu_bh_delete(lm->bh);
    }
    g_free(lm);
}

static uint16_t nvme_lm_dispatch(NvmeCtrl *pf, NvmeRequest *req)
{
    NvmeCmd *cmd = &req->cmd;

    /* as stock demands of every admin command */
    if (NVME_CMD_FLAGS_PSDT(cmd->flags) != NVME_PSDT_PRP ||
        NVME_CMD_FLAGS_FUSE(cmd->flags)) {
        return LM_BAD_FIELD;
    }
    if (cmd->nsid) {
        return LM_BAD_FIELD;
    }
    switch (cmd->opcode) {
    case LM_ADM_SEND:
        return nvme_lm_migration_send(pf, req);
    case LM_ADM_RECV:
        return nvme_lm_migration_recv(pf, req);
    case LM_ADM_TRACK_SEND:
        return nvme_lm_track_send(pf, req);
    case LM_ADM_TRACK_RECV:
        return nvme_lm_track_recv(pf, req);
    case LM_ADM_TEST_SET:
        return nvme_lm_test_set(pf, req);
    case LM_ADM_TEST_GET:
        return nvme_lm_test_get(pf, req);
    default:
        return nvme_lm_vendor_cmd(pf, req);
    }
}

static bool nvme_lm_is_ours(uint8_t opcode)
{
    switch (opcode) {
    case LM_ADM_TRACK_SEND:
    case LM_ADM_TRACK_RECV:
    case LM_ADM_SEND:
    case LM_ADM_RECV:
    case LM_ADM_QUERY_SIZE:
    case LM_ADM_SUSPEND:
    case LM_ADM_RESUME:
    case LM_ADM_SAVE:
    case LM_ADM_LOAD:
    case LM_ADM_TEST_SET:
    case LM_ADM_TEST_GET:
        return true;
    }
    return false;
}

/* the tests' own take none */
static bool nvme_lm_takes_time(uint8_t opcode)
{
    return nvme_lm_is_ours(opcode) && opcode != LM_ADM_TEST_SET &&
           opcode != LM_ADM_TEST_GET;
}

bool nvme_lm_admin_cmd(NvmeCtrl *n, NvmeRequest *req, uint16_t *status)
{
    uint8_t opcode = req->cmd.opcode;
    uint8_t sel = le32_to_cpu(req->cmd.cdw10);
    NvmeLmRule *rule;

    if (pci_is_vf(PCI_DEVICE(n))) {
        return false;
    }
    nvme_lm_count(n, req);
    if (nvme_lm_rule_hit(n->lm->hang, opcode, sel)) {
        *status = NVME_NO_COMPLETE;
        return true;
    }
    rule = nvme_lm_rule_hit(n->lm->fail, opcode, sel);
    if (rule) {
        *status = rule->status;
    } else if (!(n->cse.acs[opcode] & NVME_CMD_EFF_CSUPP)) {
        *status = NVME_INVALID_OPCODE | NVME_DNR;
    } else if (nvme_lm_is_ours(opcode)) {
        if (nvme_lm_takes_time(opcode)) {
            nvme_lm_pace_begin(n);
        }
        *status = nvme_lm_dispatch(n, req);
    } else {
        return false;
    }
    if (*status != NVME_NO_COMPLETE) {
        nvme_lm_record(n, req, *status);
        if (nvme_lm_takes_time(opcode) &&
            nvme_lm_complete_late(n, req, *status)) {
            *status = NVME_NO_COMPLETE;
        }
    }
    return true;
}
