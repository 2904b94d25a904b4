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

#include "system/dma.h"
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

/* Identify was done, and may end later: the status, or NVME_NO_COMPLETE */
uint16_t nvme_lm_identified(NvmeCtrl *n, NvmeRequest *req, uint16_t status);

/* controller ids of VFs */
bool nvme_lm_may_have_id(NvmeCtrl *pf, unsigned id);
unsigned nvme_lm_next_vf(NvmeCtrl *pf, unsigned given, unsigned num);

/* what a suspended controller must not do */
bool nvme_lm_no_fetch(NvmeCtrl *n);
bool nvme_lm_no_post(NvmeCtrl *n);
bool nvme_lm_no_dma(NvmeCtrl *n);
bool nvme_lm_no_irq(NvmeCtrl *n);

/* data of a command was moved */
void nvme_lm_moved(NvmeCtrl *pf, uint32_t len);

/* one completion was written; a round of writing them ended */
void nvme_lm_posted(NvmeCQueue *cq, NvmeRequest *req);
void nvme_lm_progress(NvmeCtrl *n);

/*
 * Every way for a controller to write memory goes through the tracking, by the
 * macros below: no write of ctrl.c, or of ours, can be missed. Ways that
 * nothing uses today are closed.
 */
MemTxResult nvme_lm_dma_write(PCIDevice *pci, dma_addr_t addr, const void *buf,
                              dma_addr_t len);
MemTxResult nvme_lm_dma_stl(PCIDevice *pci, dma_addr_t addr, uint32_t val,
                            MemTxAttrs attrs);
MemTxResult nvme_lm_dma_to_sg(void *ptr, dma_addr_t len, dma_addr_t *residual,
                              QEMUSGList *sg, MemTxAttrs attrs);
BlockAIOCB *nvme_lm_dma_blk_read(BlockBackend *blk, QEMUSGList *sg,
                                 uint64_t offset, uint32_t align,
                                 BlockCompletionFunc *cb, void *opaque);

#define pci_dma_write   nvme_lm_dma_write
#define stl_le_pci_dma  nvme_lm_dma_stl
#define dma_buf_read    nvme_lm_dma_to_sg
#define dma_blk_read    nvme_lm_dma_blk_read

#pragma GCC poison pci_dma_rw pci_dma_map dma_memory_write dma_memory_rw
#pragma GCC poison dma_memory_map dma_memory_set dma_blk_io
#pragma GCC poison stb_pci_dma stw_le_pci_dma stq_le_pci_dma
#pragma GCC poison address_space_write address_space_rw address_space_map

/* ctrl.c's own, under our names */
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
