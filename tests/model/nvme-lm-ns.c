/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: namespaces that differ from
 * another drive's.
 */

#include "qemu/osdep.h"
#include "nvme-lm-priv.h"

#define CNS_CONTROLLERS     0x12    /* which have a namespace */

/*
 * The difference shows to everybody who asks, VFs too, from the PF's next
 * Identify on.
 */
static void nvme_lm_change_namespaces(NvmeCtrl *pf)
{
    NvmeLm *lm = pf->lm;
    uint8_t id = lm->ns_other ^ lm->ns_other_now;
    uint64_t more = (uint64_t)lm->ns_more - lm->ns_more_now;

    if (!pf->subsys || (!id && !more)) {
        return;
    }
    for (unsigned nsid = 1; nsid <= NVME_MAX_NAMESPACES; nsid++) {
        NvmeNamespace *ns = nvme_subsys_ns(pf->subsys, nsid);

        if (ns) {
            ns->params.nguid.data[sizeof(ns->id_ns.nguid) - 1] ^= id;
            ns->id_ns.nguid[sizeof(ns->id_ns.nguid) - 1] ^= id;
            ns->id_ns.nsze = cpu_to_le64(le64_to_cpu(ns->id_ns.nsze) + more);
        }
    }
    lm->ns_other_now = lm->ns_other;
    lm->ns_more_now = lm->ns_more;
}

bool nvme_lm_identify_ns(NvmeCtrl *pf, NvmeRequest *req, uint16_t *status)
{
    NvmeIdentify *c = (NvmeIdentify *)&req->cmd;
    uint16_t none[NVME_CONTROLLER_LIST_SIZE] = {};
    uint32_t nsid = le32_to_cpu(c->nsid);

    nvme_lm_change_namespaces(pf);
    if (c->cns != CNS_CONTROLLERS || !nsid || nsid != pf->lm->ns_hide) {
        return false;
    }
    *status = nvme_lm_c2h(pf, none, sizeof(none), req);
    return true;
}
