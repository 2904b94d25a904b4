/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: which controller ids VFs have, and
 * in which pages the PF lists them.
 *
 * Stock gives VFs the ids after the PF's and lists them in that order. The
 * standard requires none of this: there may be any ids, in any order within a
 * page, and also those of controllers that are not VFs.
 */

#include "qemu/osdep.h"
#include "nvme-lm-priv.h"

/* May a VF of PF get this id, if it is free? */
bool nvme_lm_may_have_id(NvmeCtrl *pf, unsigned id)
{
    NvmeLm *lm = pf->lm;

    return !lm->id_first ||
           (id >= lm->id_first && !((id - lm->id_first) % lm->id_step));
}

/* Ids are given in ascending order. Which of NUM VFs gets the next one? */
unsigned nvme_lm_next_vf(NvmeCtrl *pf, unsigned given, unsigned num)
{
    return pf->lm->id_down ? num - 1 - given : given;
}

static gint lm_compare_ids(gconstpointer a, gconstpointer b)
{
    const NvmeSecCtrlEntry *x = a, *y = b;

    return le16_to_cpu(x->scid) - le16_to_cpu(y->scid);
}

/* those of VFs, and lm-list-more that are not, with the smallest free ids */
static GArray *lm_secondaries(NvmeCtrl *pf)
{
    GArray *all = g_array_new(false, true, sizeof(NvmeSecCtrlEntry));
    unsigned more = pf->lm->list_more;

    g_array_append_vals(all, pf->sec_ctrl_list, pf->nr_sec_ctrls);
    for (unsigned id = 1; id < NVME_MAX_CONTROLLERS && more; id++) {
        NvmeSecCtrlEntry entry = {
            .scid = cpu_to_le16(id),
            .pcid = pf->pri_ctrl_cap.cntlid,
        };

        if (!pf->subsys->ctrls[id]) {
            g_array_append_val(all, entry);
            more--;
        }
    }
    g_array_sort(all, lm_compare_ids);
    return all;
}

static unsigned lm_place(NvmeCtrl *pf, unsigned i, unsigned nr)
{
    switch (pf->lm->list_order) {
    case LM_ORDER_DOWN:
        return nr - 1 - i;
    case LM_ORDER_MIXED:        /* those in even places first */
        return i & 1 ? (nr + 1) / 2 + i / 2 : i / 2;
    }
    return i;
}

/* Does the list differ from stock's? */
bool nvme_lm_lists_other(NvmeCtrl *pf)
{
    NvmeLm *lm = pf->lm;

    return lm->id_first || lm->list_more || lm->list_order != LM_ORDER_UP;
}

uint16_t nvme_lm_secondary_list(NvmeCtrl *pf, NvmeRequest *req)
{
    NvmeIdentify *c = (NvmeIdentify *)&req->cmd;
    uint16_t from = le16_to_cpu(c->ctrlid);
    g_autoptr(GArray) all = lm_secondaries(pf);
    NvmeSecCtrlList page = {};
    unsigned first = 0;

    while (first < all->len &&
           le16_to_cpu(g_array_index(all, NvmeSecCtrlEntry, first).scid) <
           from) {
        first++;
    }
    page.numcntl = MIN(all->len - first, ARRAY_SIZE(page.sec));
    for (unsigned i = 0; i < page.numcntl; i++) {
        page.sec[lm_place(pf, i, page.numcntl)] =
            g_array_index(all, NvmeSecCtrlEntry, first + i);
    }
    return nvme_lm_c2h(pf, (uint8_t *)&page, sizeof(page), req);
}
