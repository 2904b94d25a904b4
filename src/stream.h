/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The migration stream.
 *
 * A sequence of records, little endian, each a header followed by its payload:
 *
 *	IDENTITY  what the state is taken from; always first: see identity.h
 *	NAMESPACES which namespaces its VF has: see namespaces.h; before STATE,
 *		  and always there from minor version 2 on
 *	STATE     how large the state is; once, before any data
 *	DATA      a piece of the state, in ascending order without gaps
 *	END       last record
 *
 * A reader refuses what it does not understand, unless the record is not
 * marked mandatory: then it is checked and skipped. Header and payload carry
 * a CRC32C each. Nothing of a record is used before both have been checked, so
 * a device never sees a damaged byte.
 *
 * IDENTITY and NAMESPACES may come long before the rest, while the source still
 * runs: a reader that refuses them has cost nothing. NAMESPACES is not marked
 * mandatory, so that readers of minor version 1 skip it.
 *
 * The stream is untrusted: it comes from another host by way of user space.
 *
 * Knows nothing of VFIO or of NVMe commands; also compiled in user space by
 * the unit tests.
 */
#ifndef _NVME_VFIO_STREAM_H
#define _NVME_VFIO_STREAM_H

#include <linux/types.h>

#include "identity.h"

/* The most a DATA record carries; bounds what a reader must allocate. */
#define STREAM_MAX_DATA		(4u << 20)

/* The most a record carries that is not understood. */
#define STREAM_MAX_SKIP		4096u

enum stream_tag {
	STREAM_IDENTITY		= 1,
	STREAM_STATE		= 2,
	STREAM_DATA		= 3,
	STREAM_END		= 4,
	STREAM_NAMESPACES	= 5,
};

#define STREAM_F_MANDATORY	(1 << 0)

/**
 * struct stream_header - in front of every record
 * @tag: enum stream_tag
 * @flags: STREAM_F_MANDATORY; other bits are 0
 * @len: bytes of payload
 * @offset: DATA: where in the state the payload belongs, in bytes; else 0
 * @payload_crc: CRC32C of the payload
 * @header_crc: CRC32C of the bytes before this member
 */
struct stream_header {
	__le16	tag;
	__le16	flags;
	__le32	len;
	__le64	offset;
	__le32	payload_crc;
	__le32	header_crc;
};

/**
 * struct stream_state - payload of STATE
 * @size: bytes of state, all DATA payloads together; not 0
 * @max_data: bytes of the largest DATA payload, at most STREAM_MAX_DATA
 * @reserved: 0
 */
struct stream_state {
	__le64	size;
	__le32	max_data;
	__le32	reserved;
};

/**
 * struct stream_end - payload of END
 * @size: the same as in STATE
 * @records: number of DATA records
 */
struct stream_end {
	__le64	size;
	__le64	records;
};

/**
 * nvme_vfio_fill_header - write the header of a record
 * @h: where to
 * @tag: enum stream_tag; the record is mandatory, but for NAMESPACES
 * @offset: see struct stream_header, CPU byte order
 * @payload: the payload
 * @len: its length in bytes
 */
void nvme_vfio_fill_header(struct stream_header *h, enum stream_tag tag,
			   u64 offset, const void *payload, u32 len);

/**
 * nvme_vfio_fill_record - header and payload of a small record, back to back
 * @to: room for both
 * @tag: enum stream_tag; likewise
 * @payload: the payload
 * @len: its length in bytes
 *
 * Return: bytes written.
 */
size_t nvme_vfio_fill_record(void *to, enum stream_tag tag, const void *payload,
			     u32 len);

enum stream_event {
	STREAM_EV_NONE,		/* more bytes are needed */
	STREAM_EV_IDENTITY,	/* ->identity holds */
	STREAM_EV_NAMESPACES,	/* ->namespaces holds */
	STREAM_EV_STATE,	/* ->size and ->max_data hold; give a buffer */
	STREAM_EV_DATA,		/* ->data_len bytes at ->data_offset in the buffer */
	STREAM_EV_END,		/* the stream is complete */
};

enum stream_phase {
	STREAM_WANT_IDENTITY,
	STREAM_WANT_NAMESPACES,
	STREAM_WANT_STATE,
	STREAM_WANT_DATA,
	STREAM_WANT_END,
	STREAM_COMPLETE,
	STREAM_FAILED,
};

/**
 * struct stream_reader - takes a stream apart, in pieces of any size
 * @limit: largest state accepted, in bytes; set by the user
 * @data: buffer for DATA payloads, at least @max_data bytes; set by the user
 *	on STREAM_EV_STATE
 * @identity: valid from STREAM_EV_IDENTITY on
 * @namespaces: without fault, and valid, from STREAM_EV_NAMESPACES on
 * @size: bytes of state, from STREAM_EV_STATE on
 * @max_data: largest DATA payload to come, bytes
 * @data_offset: place of the last DATA payload in the state, bytes
 * @data_len: its length, bytes
 * @why: after an error, what is wrong with the stream
 * @text: room for a @why that the user composes
 *
 * The other members are the reader's own.
 */
struct stream_reader {
	u64 limit;
	void *data;
	struct stream_identity identity;
	struct stream_namespaces namespaces;
	u64 size;
	u32 max_data;
	u64 data_offset;
	u32 data_len;
	const char *why;
	char text[128];

	/* private: */
	enum stream_phase phase;
	bool in_payload;
	bool skip;
	bool namespaces_seen;
	u32 have;		/* bytes of the header or payload so far */
	u32 crc;		/* running, of a skipped payload */
	u64 next;		/* where the next DATA must start */
	u64 records;
	struct stream_header header;
	union {
		struct stream_identity identity;
		struct stream_state state;
		struct stream_end end;
		u8 scratch[256];
	} small;
};

/**
 * nvme_vfio_reader_init - begin a stream
 * @r: the reader
 * @limit: largest state accepted, bytes
 */
void nvme_vfio_reader_init(struct stream_reader *r, u64 limit);

/**
 * nvme_vfio_reader_want - where the next bytes of the stream are to be put
 * @r: the reader
 * @len: how many bytes at most, never 0
 *
 * Return: the place, or NULL when the stream is complete or has failed.
 */
void *nvme_vfio_reader_want(struct stream_reader *r, u32 *len);

/**
 * nvme_vfio_reader_put - bytes were put where nvme_vfio_reader_want() said
 * @r: the reader
 * @len: how many, at most what was wanted
 *
 * Return: an enum stream_event, or
 * * -EINVAL - the stream is damaged, out of order or not understood
 * * -ENOSPC - the state is larger than the limit
 *
 * The reader stays failed after an error; @r->why says what was wrong.
 */
int nvme_vfio_reader_put(struct stream_reader *r, u32 len);

/**
 * nvme_vfio_reader_fail - refuse a stream for a reason found outside the reader
 * @r: the reader
 * @err: negative errno
 * @why: constant text, or @r->text
 *
 * Return: @err.
 */
int nvme_vfio_reader_fail(struct stream_reader *r, int err, const char *why);

#endif
