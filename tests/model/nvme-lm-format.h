/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: the bytes of a saved controller.
 * All numbers are little endian.
 *
 * Controller State of the standard: header, NVMe part (I/O queues only),
 * vendor part. Ours holds the rest:
 *
 *     LmVendor, AER command ids, queued events, completions not yet
 *     posted, padding
 *
 * The vendor command set moves the same bytes behind an LmBlob header.
 *
 * And what the tracking commands carry.
 */

#ifndef HW_NVME_LM_FORMAT_H
#define HW_NVME_LM_FORMAT_H

typedef struct QEMU_PACKED LmHeader {
    uint16_t ver;
    uint8_t  csattr;
    uint8_t  rsvd3[13];
    uint64_t nvmecss;           /* dwords */
    uint64_t nvmecss_hi;
    uint64_t vss;               /* dwords */
    uint64_t vss_hi;
} LmHeader;

#define LM_CSATTR_CP    (1 << 0)

typedef struct QEMU_PACKED LmNvme {
    uint16_t ver;
    uint16_t niosq;
    uint16_t niocq;
    uint16_t rsvd6;
} LmNvme;

typedef struct QEMU_PACKED LmSq {
    uint64_t prp1;
    uint16_t qsize;
    uint16_t qid;
    uint16_t cqid;
    uint16_t attr;
    uint16_t head;
    uint16_t tail;
    uint32_t rsvd20;
} LmSq;

#define LM_SQ_PC        (1 << 0)
#define LM_SQ_ATTRS     0x7

typedef struct QEMU_PACKED LmCq {
    uint64_t prp1;
    uint16_t qsize;
    uint16_t qid;
    uint16_t head;
    uint16_t tail;
    uint32_t attr;
    uint32_t rsvd20;
} LmCq;

#define LM_CQ_PC        (1 << 0)
#define LM_CQ_IEN       (1 << 1)
#define LM_CQ_S0PT      (1 << 2)
#define LM_CQ_IV_SHIFT  16
#define LM_CQ_RSVD      0xfff8

/* The UUID of the format below; a changed layout needs a new one. */
#define LM_UUID { 0x6f, 0x1c, 0x27, 0x90, 0x4b, 0x8e, 0x4d, 0x35, \
                  0x9a, 0x52, 0xe1, 0x0d, 0x73, 0xb6, 0x28, 0xc4 }

#define LM_MAGIC        0x564d4c51
#define LM_VERSION      1

#define LM_F_LIVE       (1 << 0)    /* enabled, has its admin queues */
#define LM_F_DBBUF      (1 << 1)    /* doorbell buffers are in use */

#define LM_NSID_WORDS   5           /* bits of NSIDs 0..256 */
#define LM_MAX_EVENTS   1024

typedef struct QEMU_PACKED LmVendor {
    uint32_t magic;
    uint16_t version;
    uint16_t fixed_len;         /* of this structure */
    uint32_t length;            /* of the vendor part, with padding */
    uint32_t pad_len;

    /* what the target must have as well */
    uint64_t cap;
    uint32_t vs;
    uint16_t nr_ioqpairs;
    uint16_t nr_vectors;
    uint8_t  mdts;
    uint8_t  rsvd33[3];

    uint8_t  flags;
    uint8_t  aer_mask;
    uint8_t  smart_warning;
    uint8_t  rsvd39;
    uint32_t cc;
    uint32_t csts;
    uint32_t intms;
    uint32_t aqa;
    uint64_t asq;
    uint64_t acq;
    uint64_t dbbuf_dbs;
    uint64_t dbbuf_eis;

    uint16_t asq_head;
    uint16_t asq_tail;
    uint16_t acq_head;
    uint16_t acq_tail;
    uint8_t  acq_phase;
    uint8_t  rsvd97[3];

    uint16_t niosq;
    uint16_t niocq;
    uint16_t nr_aers;
    uint16_t nr_events;
    uint16_t max_events;        /* room reserved for them */
    uint16_t rsvd110;
    uint32_t nr_cqes;

    /* features */
    uint32_t async_config;
    uint16_t temp_hi;
    uint16_t temp_low;
    uint64_t timestamp;
    uint64_t timestamp_age;     /* ms since it was set */
    uint32_t dn;
    uint32_t atomic_max_write;
    uint8_t  atomic_writes;
    uint8_t  rsvd149[3];
    uint64_t changed_nsids[LM_NSID_WORDS];
    uint8_t  hbs[512];
} LmVendor;

typedef struct QEMU_PACKED LmEvent {
    uint8_t type;
    uint8_t info;
    uint8_t log;
    uint8_t rsvd3;
} LmEvent;

typedef struct QEMU_PACKED LmCqe {
    uint16_t sqid;
    uint16_t cid;
    uint16_t status;            /* without the phase */
    uint16_t rsvd6;
    uint32_t dw0;
    uint32_t dw1;
} LmCqe;

typedef struct QEMU_PACKED LmBlob {
    uint8_t  magic[8];
    uint32_t version;
    uint32_t header_len;
    uint64_t length;
    uint64_t rsvd24;
} LmBlob;

#define LM_BLOB_MAGIC   "NVMELM22"

typedef struct QEMU_PACKED LmTrackSend {
    uint8_t  ver;
    uint16_t rsvd1;
    uint8_t  rmrtg;
    uint32_t rnmrtd;
} LmTrackSend;

typedef struct QEMU_PACKED LmTrackRange {
    uint64_t saddr;
    uint32_t len;               /* units */
} LmTrackRange;

typedef struct QEMU_PACKED LmTrackRecv {
    uint8_t  ver;
    uint8_t  attrb;
    uint16_t cntlid;
    uint32_t ntmcd;
    uint16_t rpmpg;
    uint8_t  rsvd10[6];
} LmTrackRecv;

#define LM_TRACK_MTR    (1 << 0)    /* more to report */
#define LM_TRACK_SUSP   (1 << 1)

typedef struct QEMU_PACKED LmTrackChange {
    uint64_t saddr;
    uint32_t len;               /* units */
    uint32_t rsvd12;
} LmTrackChange;

#define LM_TRACK_SHIFT  12          /* a unit of granularity 0 */

QEMU_BUILD_BUG_ON(sizeof(LmTrackSend) != 8);
QEMU_BUILD_BUG_ON(sizeof(LmTrackRange) != 12);
QEMU_BUILD_BUG_ON(sizeof(LmTrackRecv) != 16);
QEMU_BUILD_BUG_ON(sizeof(LmTrackChange) != 16);
QEMU_BUILD_BUG_ON(sizeof(LmHeader) != 48);
QEMU_BUILD_BUG_ON(sizeof(LmNvme) != 8);
QEMU_BUILD_BUG_ON(sizeof(LmSq) != 24);
QEMU_BUILD_BUG_ON(sizeof(LmCq) != 24);
QEMU_BUILD_BUG_ON(sizeof(LmVendor) % 4);

/* bytes of the AER command ids, rounded up to a dword */
static inline uint64_t lm_aers_len(unsigned nr)
{
    return ROUND_UP(nr * 2, 4);
}

/* Padding is a function of its place, so that a lost or swapped piece shows. */
static inline uint32_t lm_pad_dword(uint64_t index)
{
    return (uint32_t)index * 0x9e3779b1u ^ 0x5a17c0deu;
}

#endif
