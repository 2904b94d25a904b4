/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: the hooks that ctrl.c calls and
 * the few of its functions that the model needs. Everything else is private,
 * see nvme-lm-priv.h.
 *
 * A hook does nothing on a controller for which the model is off.
 */

#ifndef HW_NVME_LM_H
#define HW_NVME_LM_H

#include "nvme.h"

/* life of a controller */
void nvme_lm_instance_init(Object *obj);
void nvme_lm_instance_finalize(Object *obj);
void nvme_lm_init_ctrl(NvmeCtrl *n);
void nvme_lm_reset_begin(NvmeCtrl *n);
void nvme_lm_reset_end(NvmeCtrl *n);

/* commands; true when the model has answered */
bool nvme_lm_admin_cmd(NvmeCtrl *n, NvmeRequest *req, uint16_t *status);
bool nvme_lm_identify(NvmeCtrl *n, NvmeRequest *req, uint16_t *status);

/* what a suspended controller must leave undone */
bool nvme_lm_no_fetch(NvmeCtrl *n);
bool nvme_lm_no_post(NvmeCtrl *n);
bool nvme_lm_no_dma(NvmeCtrl *n);
bool nvme_lm_no_irq(NvmeCtrl *n);

/* one completion was written; a round of writing them ended */
void nvme_lm_posted(NvmeCQueue *cq, NvmeRequest *req);
void nvme_lm_progress(NvmeCtrl *n);

/* ctrl.c's own, under names of ours */
uint16_t nvme_lm_c2h(NvmeCtrl *n, void *ptr, uint32_t len, NvmeRequest *req);
uint16_t nvme_lm_h2c(NvmeCtrl *n, void *ptr, uint32_t len, NvmeRequest *req);
uint16_t nvme_lm_check_mdts(NvmeCtrl *n, size_t len);
int nvme_lm_start_ctrl(NvmeCtrl *n);
void nvme_lm_init_cq(NvmeCQueue *cq, NvmeCtrl *n, uint64_t addr, uint16_t cqid,
                     uint16_t vector, uint16_t size, uint16_t ien);
void nvme_lm_init_sq(NvmeSQueue *sq, NvmeCtrl *n, uint64_t addr, uint16_t sqid,
                     uint16_t cqid, uint16_t size);
void nvme_lm_free_queues(NvmeCtrl *n);
void nvme_lm_post_cqes(NvmeCQueue *cq);
void nvme_lm_process_aers(NvmeCtrl *n);
void nvme_lm_complete_req(NvmeCtrl *n, NvmeRequest *req, uint16_t status);
void nvme_lm_load_cq_head(NvmeCQueue *cq);

#endif
