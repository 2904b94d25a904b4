/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: what its parts share.
 *
 * nvme-lm.c           switching on and off, dispatch, rules that fail or hang
 * nvme-lm-suspend.c   suspend, resume, reset
 * nvme-lm-pace.c      the time that commands take
 * nvme-lm-standard.c  Migration Send and Receive, the list of formats
 * nvme-lm-ids.c       controller ids of VFs, and the list of them
 * nvme-lm-ns.c        namespaces that differ from another drive's
 * nvme-lm-track.c     Track Send and Receive, and every write that they report
 * nvme-lm-vendor.c    the vendor command set of 2022
 * nvme-lm-save.c      controller -> bytes
 * nvme-lm-load.c      bytes -> controller, after a full check
 * nvme-lm-test.c      properties, test control, counters
 * nvme-lm-knobs.h     the list of the properties
 */

#ifndef HW_NVME_LM_PRIV_H
#define HW_NVME_LM_PRIV_H

#include "qemu/units.h"
#include "hw/pci/pcie_sriov.h"
#include "nvme-lm.h"
#include "nvme-lm-format.h"

enum {
    LM_SET_STANDARD = 1 << 0,
    LM_SET_VENDOR   = 1 << 1,
};

enum {
    LM_LIE_CSUP_CLEAR = 1 << 0,
    LM_LIE_LOSE_CQE   = 1 << 1,
    LM_LIE_DOUBLE_CQE = 1 << 2,
    LM_LIE_FORGET_PAGE = 1 << 3,
    LM_LIE_DEAF       = 1 << 4,
    LM_LIE_HUGE       = 1 << 5,
    LM_LIE_OVERFLOW   = 1 << 6,
};

/* which list of formats is empty */
enum {
    LM_NO_NEITHER,
    LM_NO_VERSION,
    LM_NO_UUID,
};

/* which part of a state may be missing */
enum {
    LM_EMPTY_NEITHER,
    LM_EMPTY_NVME,
    LM_EMPTY_VENDOR,
};

/* what a Suspend waits for besides what was fetched */
enum {
    LM_WAITS_NOT,
    LM_WAITS_CQ,                /* until every completion has room */
    LM_WAITS_EVER,              /* until the property changes */
};

/* what becomes of a waiting Suspend when its VF is reset */
enum {
    LM_RESET_FAILS,
    LM_RESET_ENDS,              /* with success, the VF runs */
    LM_RESET_SUSPENDS,          /* with success, the VF is suspended */
    LM_RESET_IGNORED,           /* nothing: it goes on waiting */
};

/* the formats of states that are listed */
enum {
    LM_FORMATS_ONE,
    LM_FORMATS_TWO,
    LM_FORMATS_TURNED,
};

/* the order in a page of the secondary controllers */
enum {
    LM_ORDER_UP,
    LM_ORDER_DOWN,
    LM_ORDER_MIXED,
};

enum {
    LM_ADM_TRACK_SEND    = 0x3d,
    LM_ADM_TRACK_RECV    = 0x3e,
    LM_ADM_SEND          = 0x41,
    LM_ADM_RECV          = 0x42,
    LM_ADM_CDQ           = 0x45,
    LM_ADM_QUERY_SIZE    = 0xc4,
    LM_ADM_SUSPEND       = 0xc8,
    LM_ADM_RESUME        = 0xcc,
    LM_ADM_SAVE          = 0xd2,
    LM_ADM_LOAD          = 0xd5,
    LM_ADM_TEST_SET      = 0xe1,
    LM_ADM_TEST_GET      = 0xe2,
};

#define LM_BUSY             0x0138
#define LM_NO_RESOURCES     (0x0138 | NVME_DNR)
#define LM_SUSPENDED_STATUS (0x0139 | NVME_DNR)
#define LM_NOT_SUSPENDED    (0x013a | NVME_DNR)
#define LM_BAD_CNTLID       (NVME_INVALID_CTRL_ID | NVME_DNR)
#define LM_BAD_FIELD        (NVME_INVALID_FIELD | NVME_DNR)
#define LM_BAD_SEQUENCE     (NVME_CMD_SEQ_ERROR | NVME_DNR)

#define LM_OACS_HMLMS       (1 << 11)

/* Identify Controller, beyond what stock has names for */
#define LM_ID_CRDT1         128
#define LM_ID_CMMRTD        570
#define LM_ID_NMMRTD        572
#define LM_ID_MINMRTG       574
#define LM_ID_MAXMRTG       575
#define LM_ID_TRATTR        576
#define LM_TRATTR_THMCS     (1 << 0)
#define LM_TRATTR_MRTLL     (1 << 2)

#define LM_MAX_GRAIN        39          /* a unit of 2^51 bytes */

#define LM_MAX_MORE         1024        /* secondary controllers, not VFs */

/* No state is larger; bounds what a Set sequence can make us allocate. */
#define LM_MAX_PAD          (128 * MiB)
#define LM_MAX_STATE        (LM_MAX_PAD + 16 * MiB)

typedef enum NvmeLmState {
    LM_RUNNING,
    LM_SUSPENDING,
    LM_SUSPENDED,
    LM_RESUMING,
} NvmeLmState;

/* a command that fails or hangs: the left-th one from now on */
typedef struct NvmeLmRule {
    uint8_t  opcode;
    int      sel;               /* -1: any */
    uint64_t left;
    uint16_t status;
} NvmeLmRule;

#define LM_COUNTED_SELS 5       /* opcodes that are counted for each SEL */

typedef struct NvmeLmCount {
    uint64_t seen;
    int      status;            /* of the last one completed, -1: none */
} NvmeLmCount;

typedef struct NvmeLmTrack {
    uint32_t    nr;             /* ranges; 0: not tracked */
    unsigned    shift;          /* of a unit */
    struct NvmeLmRange *range;
    GTree       *dirty;         /* units written and not reported */
} NvmeLmTrack;

typedef struct NvmeLm {
    /* of a PF: fields of properties */
#define LM_NUMBER(name, field, ...)     uint32_t field;
#define LM_SWITCH(name, field, ...)     uint32_t field;
#define LM_WORD(name, field, ...)       uint32_t field;
#define LM_OTHER(...)
#define LM_COMMAND(...)
#include "nvme-lm-knobs.h"
    unsigned    sets;
    uint64_t    pad;
    char        *fail_text;
    char        *hang_text;
    GArray      *fail;
    GArray      *hang;
    unsigned    lies;
    char        *model;
    char        *firmware;
    uint32_t    id_first;       /* of VFs; 0: stock */
    uint32_t    id_step;
    bool        id_down;
    uint32_t    track_cmmrtd;
    uint32_t    track_nmmrtd;
    uint8_t     ns_other_now;   /* what namespaces show */
    uint32_t    ns_more_now;

    /* and the rest */
    char        **started;      /* the properties' values, in list order */
    GQueue      *late;          /* done but not completed yet */
    QEMUTimer   *late_timer;
    int64_t     busy_until;     /* ns of the virtual clock */
    NvmeLmCount count[256];
    NvmeLmCount count_sel[LM_COUNTED_SELS][256];

    /* of a VF */
    NvmeLmState state;
    GPtrArray   *waiting;       /* the PF's commands that end when it changes */
    QEMUTimer   *timer;
    QEMUBH      *bh;
    bool        lazy;           /* suspending, and its Suspend has ended */
    bool        mute;           /* a Suspend has begun: raises no interrupt */
    bool        told;           /* a Suspend will follow */
    bool        suspend_late;   /* a reset is to leave it suspended */
    unsigned    resets;
    bool        double_next;
    NvmeLmTrack track;

    /* a Set sequence to this VF */
    bool        seq;            /* may be continued */
    bool        uncommitted;    /* something came but was not committed */
    uint8_t     csvi;
    uint8_t     csuuidi;
    uint8_t     *buf;
    unsigned long *have;        /* one bit for each dword that came */
    uint64_t    alloc;          /* bytes of buf */
    uint64_t    end;            /* of what came so far */
    uint64_t    total;          /* 0: the header has not come yet */
    const char  *refused;       /* why the last state was refused */
    GByteArray  *kept;          /* committed while offline */
} NvmeLm;

static inline NvmeCtrl *nvme_lm_pf(NvmeCtrl *vf)
{
    return NVME(pcie_sriov_get_pf(PCI_DEVICE(vf)));
}

static inline bool nvme_lm_suspended(NvmeCtrl *vf)
{
    return vf->lm->state == LM_SUSPENDED || vf->lm->state == LM_RESUMING;
}

static inline bool nvme_lm_has_ioqs(NvmeCtrl *vf)
{
    for (uint32_t i = 1; i < vf->params.max_ioqpairs + 1; i++) {
        if (vf->sq[i] || vf->cq[i]) {
            return true;
        }
    }
    return false;
}

/* Is nothing outstanding but AERs? */
static inline bool nvme_lm_drained(NvmeCtrl *vf)
{
    unsigned out = 0;
    NvmeRequest *req;

    for (uint32_t i = 0; i < vf->params.max_ioqpairs + 1; i++) {
        if (vf->sq[i]) {
            QTAILQ_FOREACH(req, &vf->sq[i]->out_req_list, entry) {
                out++;
            }
        }
    }
    return out == vf->outstanding_aers;
}

static inline bool nvme_lm_is_live(NvmeCtrl *vf)
{
    return vf->sq[0] && vf->cq[0];
}

/* nvme-lm.c */
NvmeCtrl *nvme_lm_vf_at(NvmeCtrl *pf, unsigned index);
void nvme_lm_apply(NvmeCtrl *pf);

/* nvme-lm-ns.c: an answer of the PF to Identify */
bool nvme_lm_identify_ns(NvmeCtrl *pf, NvmeRequest *req, uint16_t *status);

/* nvme-lm-suspend.c */
uint16_t nvme_lm_suspend(NvmeCtrl *vf, NvmeRequest *req);
uint16_t nvme_lm_suspend_lazily(NvmeCtrl *vf, NvmeRequest *req);
uint16_t nvme_lm_drain_now(NvmeCtrl *vf, NvmeRequest *req);
uint16_t nvme_lm_resume(NvmeCtrl *vf, NvmeRequest *req);
void nvme_lm_go(NvmeCtrl *vf);
void nvme_lm_drop_seq(NvmeCtrl *vf);
void nvme_lm_disable(NvmeCtrl *vf);

/* nvme-lm-pace.c */
void nvme_lm_pace_begin(NvmeCtrl *pf);
bool nvme_lm_complete_late(NvmeCtrl *pf, NvmeRequest *req, uint16_t status);
void nvme_lm_drop_late(NvmeLm *lm);
void nvme_lm_free_late(NvmeLm *lm);

/* nvme-lm-ids.c */
bool nvme_lm_lists_other(NvmeCtrl *pf);
uint16_t nvme_lm_secondary_list(NvmeCtrl *pf, NvmeRequest *req);

/* nvme-lm-standard.c, nvme-lm-track.c, nvme-lm-vendor.c */
NvmeCtrl *nvme_lm_target(NvmeCtrl *pf, uint16_t cntlid, bool *online);
uint16_t nvme_lm_migration_send(NvmeCtrl *pf, NvmeRequest *req);
uint16_t nvme_lm_migration_recv(NvmeCtrl *pf, NvmeRequest *req);
uint16_t nvme_lm_track_send(NvmeCtrl *pf, NvmeRequest *req);
uint16_t nvme_lm_track_recv(NvmeCtrl *pf, NvmeRequest *req);
void nvme_lm_track_end(NvmeCtrl *vf);
uint16_t nvme_lm_vendor_drained(NvmeCtrl *pf, NvmeRequest *req, NvmeCtrl *vf);
uint16_t nvme_lm_vendor_cmd(NvmeCtrl *pf, NvmeRequest *req);

/* nvme-lm-save.c */
GByteArray *nvme_lm_save(NvmeCtrl *vf, bool nvme_part, bool vendor_part,
                         bool cp, uint64_t *total);
void nvme_lm_save_pad(uint8_t *buf, uint64_t offset, uint64_t len);

/* nvme-lm-load.c */
extern const char nvme_lm_offline[];    /* a reason to refuse */
const char *nvme_lm_check_header(const uint8_t *buf, uint64_t *nvme_len,
                                 uint64_t *vendor_len);
const char *nvme_lm_load(NvmeCtrl *vf, const uint8_t *buf, uint64_t len);
void nvme_lm_keep(NvmeCtrl *vf);
bool nvme_lm_load_kept(NvmeCtrl *vf);

/* nvme-lm-test.c */
void nvme_lm_test_init(Object *obj);
void nvme_lm_test_started(NvmeLm *lm);
void nvme_lm_test_finalize(NvmeLm *lm);
void nvme_lm_count(NvmeCtrl *pf, NvmeRequest *req);
void nvme_lm_record(NvmeCtrl *pf, NvmeRequest *req, uint16_t status);
NvmeLmRule *nvme_lm_rule_hit(GArray *rules, uint8_t opcode, uint8_t sel);
uint16_t nvme_lm_test_set(NvmeCtrl *pf, NvmeRequest *req);
uint16_t nvme_lm_test_get(NvmeCtrl *pf, NvmeRequest *req);

#endif
