// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and writing the records of the migration stream: see stream.h.
 */
#include <linux/build_bug.h>
#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <asm/byteorder.h>

#include "stream.h"

static_assert(sizeof(struct stream_header) == 24);
static_assert(sizeof(struct stream_identity) == 128);
static_assert(sizeof(struct stream_namespace) == 64);
static_assert(offsetof(struct stream_namespaces, ns) == NS_HEAD_LEN);
static_assert(sizeof(struct stream_namespaces) <= STREAM_MAX_SKIP);
static_assert(sizeof(struct stream_state) == 16);
static_assert(sizeof(struct stream_end) == 16);

#define CRC_SEED	(~0u)

static u32 nvme_vfio_header_crc(const struct stream_header *h)
{
	return ~crc32c(CRC_SEED, h, offsetof(struct stream_header, header_crc));
}

void nvme_vfio_fill_header(struct stream_header *h, enum stream_tag tag,
			   u64 offset, const void *payload, u32 len)
{
	h->tag = cpu_to_le16(tag);
	h->flags = cpu_to_le16(tag == STREAM_NAMESPACES ? 0 : STREAM_F_MANDATORY);
	h->len = cpu_to_le32(len);
	h->offset = cpu_to_le64(offset);
	h->payload_crc = cpu_to_le32(~crc32c(CRC_SEED, payload, len));
	h->header_crc = cpu_to_le32(nvme_vfio_header_crc(h));
}

size_t nvme_vfio_fill_record(void *to, enum stream_tag tag, const void *payload,
			     u32 len)
{
	struct stream_header h;

	nvme_vfio_fill_header(&h, tag, 0, payload, len);
	memcpy(to, &h, sizeof(h));
	memcpy(to + sizeof(h), payload, len);

	return sizeof(h) + len;
}

void nvme_vfio_reader_init(struct stream_reader *r, u64 limit)
{
	memset(r, 0, sizeof(*r));
	r->limit = limit;
}

int nvme_vfio_reader_fail(struct stream_reader *r, int err, const char *why)
{
	r->phase = STREAM_FAILED;
	r->why = why;
	return err;
}

static int nvme_vfio_refuse(struct stream_reader *r, const char *why)
{
	return nvme_vfio_reader_fail(r, -EINVAL, why);
}

static int nvme_vfio_reader_too_large(struct stream_reader *r)
{
	return nvme_vfio_reader_fail(r, -ENOSPC,
				     "state larger than max_state_mb allows");
}

static void *nvme_vfio_reader_payload(struct stream_reader *r)
{
	switch (le16_to_cpu(r->header.tag)) {
	case STREAM_DATA:
		return r->data;
	case STREAM_NAMESPACES:
		return &r->namespaces;
	default:
		return &r->small;
	}
}

void *nvme_vfio_reader_want(struct stream_reader *r, u32 *len)
{
	u32 left;

	if (r->phase == STREAM_COMPLETE || r->phase == STREAM_FAILED)
		return NULL;

	if (!r->in_payload) {
		*len = sizeof(r->header) - r->have;
		return (u8 *)&r->header + r->have;
	}

	left = le32_to_cpu(r->header.len) - r->have;
	if (r->skip) {
		*len = min_t(u32, left, sizeof(r->small.scratch));
		return r->small.scratch;
	}

	*len = left;
	return nvme_vfio_reader_payload(r) + r->have;
}

static int nvme_vfio_reader_check_namespaces(struct stream_reader *r,
					     u64 offset, u32 len)
{
	if (r->phase != STREAM_WANT_NAMESPACES)
		return nvme_vfio_refuse(r, r->namespaces_seen ?
					"a second namespaces record" :
					"namespaces record out of order");
	if (len < NS_HEAD_LEN || len > sizeof(r->namespaces) || offset)
		return nvme_vfio_refuse(r, "namespaces record of wrong size");
	r->namespaces_seen = true;
	return 0;
}

static int nvme_vfio_reader_check_data(struct stream_reader *r, u64 offset,
				       u32 len)
{
	u64 left = r->size - r->next;

	if (r->phase != STREAM_WANT_DATA)
		return nvme_vfio_refuse(r, "data record out of order");
	if (offset != r->next)
		return nvme_vfio_refuse(r, "data record with a gap or overlap");
	/* Devices take dwords: only the last piece may be odd. */
	if (!len || len > r->max_data || len > left || (len & 3 && len != left))
		return nvme_vfio_refuse(r, "data record of wrong size");
	if (!r->data)
		return nvme_vfio_refuse(r, "no buffer for data");
	return 0;
}

/* Is this the record that must come now, and are its sizes right? */
static int nvme_vfio_reader_check_known(struct stream_reader *r, u16 tag,
					u32 len)
{
	u64 offset = le64_to_cpu(r->header.offset);
	enum stream_phase phase;
	u32 size;

	switch (tag) {
	case STREAM_DATA:
		return nvme_vfio_reader_check_data(r, offset, len);
	case STREAM_NAMESPACES:
		return nvme_vfio_reader_check_namespaces(r, offset, len);
	case STREAM_IDENTITY:
		phase = STREAM_WANT_IDENTITY;
		size = sizeof(r->small.identity);
		break;
	case STREAM_STATE:
		phase = STREAM_WANT_STATE;
		size = sizeof(r->small.state);
		break;
	case STREAM_END:
		phase = STREAM_WANT_END;
		size = sizeof(r->small.end);
		break;
	default:
		return nvme_vfio_refuse(r, "unknown mandatory record");
	}

	if (r->phase != phase)
		return nvme_vfio_refuse(r, r->phase == STREAM_WANT_NAMESPACES ?
					"the namespaces record is missing" :
					"record out of order");
	if (len != size || offset)
		return nvme_vfio_refuse(r, "record of wrong size");
	return 0;
}

static int nvme_vfio_reader_finish_header(struct stream_reader *r)
{
	u16 flags = le16_to_cpu(r->header.flags);
	u16 tag = le16_to_cpu(r->header.tag);
	u32 len = le32_to_cpu(r->header.len);

	if (le32_to_cpu(r->header.header_crc) !=
	    nvme_vfio_header_crc(&r->header))
		return nvme_vfio_refuse(r, r->phase == STREAM_WANT_IDENTITY ?
					"not a stream of this driver, or damaged" :
					"damaged record header");
	if (flags & ~STREAM_F_MANDATORY)
		return nvme_vfio_refuse(r, "unknown record flags");
	/* What comes first decides how the rest is understood. */
	if (r->phase == STREAM_WANT_IDENTITY && tag != STREAM_IDENTITY)
		return nvme_vfio_refuse(r, "the identity record is missing");

	r->skip = (tag < STREAM_IDENTITY || tag > STREAM_NAMESPACES) &&
		  !(flags & STREAM_F_MANDATORY);
	if (r->skip) {
		if (len > STREAM_MAX_SKIP)
			return nvme_vfio_refuse(r, "optional record too large");
	} else {
		int ret = nvme_vfio_reader_check_known(r, tag, len);

		if (ret)
			return ret;
	}

	r->have = 0;
	r->crc = CRC_SEED;
	r->in_payload = true;
	return STREAM_EV_NONE;
}

static int nvme_vfio_reader_finish_identity(struct stream_reader *r)
{
	const struct stream_identity *id = &r->small.identity;

	if (memcmp(id->magic, STREAM_MAGIC, sizeof(id->magic)))
		return nvme_vfio_refuse(r, "not a stream of this driver");
	if (le16_to_cpu(id->major) != STREAM_MAJOR)
		return nvme_vfio_refuse(r, "another major version of the stream");
	/* A later minor version may use what is reserved in this one. */
	if (le16_to_cpu(id->minor) <= STREAM_MINOR &&
	    (id->has_uuid > 1 || id->reserved1 ||
	     memchr_inv(id->reserved2, 0, sizeof(id->reserved2))))
		return nvme_vfio_refuse(r, "reserved bytes in the identity record");

	/* Hints, but they tell early what STATE would tell too late. */
	if (le64_to_cpu(id->size_hint) > r->limit)
		return nvme_vfio_reader_too_large(r);

	r->identity = *id;
	r->phase = le16_to_cpu(id->minor) < STREAM_MINOR_NAMESPACES ?
		   STREAM_WANT_STATE : STREAM_WANT_NAMESPACES;
	return STREAM_EV_IDENTITY;
}

static int nvme_vfio_reader_finish_namespaces(struct stream_reader *r)
{
	const char *why = ns_fault(&r->namespaces, le32_to_cpu(r->header.len));

	if (why)
		return nvme_vfio_refuse(r, why);
	r->phase = STREAM_WANT_STATE;
	return STREAM_EV_NAMESPACES;
}

static int nvme_vfio_reader_finish_state(struct stream_reader *r)
{
	u64 size = le64_to_cpu(r->small.state.size);
	u32 max_data = le32_to_cpu(r->small.state.max_data);

	if (!size)
		return nvme_vfio_refuse(r, "empty state");
	if (size > r->limit)
		return nvme_vfio_reader_too_large(r);
	if (!max_data || max_data > STREAM_MAX_DATA || max_data > size)
		return nvme_vfio_refuse(r, "data record limit out of range");
	if (r->small.state.reserved)
		return nvme_vfio_refuse(r, "reserved bytes in the state record");

	r->size = size;
	r->max_data = max_data;
	r->phase = STREAM_WANT_DATA;
	return STREAM_EV_STATE;
}

static int nvme_vfio_reader_finish_data(struct stream_reader *r)
{
	r->data_offset = r->next;
	r->data_len = le32_to_cpu(r->header.len);
	r->next += r->data_len;
	r->records++;
	if (r->next == r->size)
		r->phase = STREAM_WANT_END;
	return STREAM_EV_DATA;
}

static int nvme_vfio_reader_finish_end(struct stream_reader *r)
{
	if (le64_to_cpu(r->small.end.size) != r->size ||
	    le64_to_cpu(r->small.end.records) != r->records)
		return nvme_vfio_refuse(r, "end record does not match the data");

	r->phase = STREAM_COMPLETE;
	return STREAM_EV_END;
}

static int nvme_vfio_reader_finish_payload(struct stream_reader *r)
{
	u16 tag = le16_to_cpu(r->header.tag);
	u32 len = le32_to_cpu(r->header.len);
	u32 crc;

	if (r->skip)
		crc = ~r->crc;
	else
		crc = ~crc32c(CRC_SEED, nvme_vfio_reader_payload(r), len);
	if (crc != le32_to_cpu(r->header.payload_crc))
		return nvme_vfio_refuse(r, "damaged record payload");

	r->have = 0;
	r->in_payload = false;
	if (r->skip)
		return STREAM_EV_NONE;

	switch (tag) {
	case STREAM_IDENTITY:
		return nvme_vfio_reader_finish_identity(r);
	case STREAM_NAMESPACES:
		return nvme_vfio_reader_finish_namespaces(r);
	case STREAM_STATE:
		return nvme_vfio_reader_finish_state(r);
	case STREAM_DATA:
		return nvme_vfio_reader_finish_data(r);
	default:
		return nvme_vfio_reader_finish_end(r);
	}
}

int nvme_vfio_reader_put(struct stream_reader *r, u32 len)
{
	if (r->in_payload && r->skip)
		r->crc = crc32c(r->crc, r->small.scratch, len);

	r->have += len;
	if (!r->in_payload) {
		int ret;

		if (r->have < sizeof(r->header))
			return STREAM_EV_NONE;
		ret = nvme_vfio_reader_finish_header(r);
		/* An empty payload needs no further byte. */
		if (ret || r->header.len)
			return ret;
	} else if (r->have < le32_to_cpu(r->header.len)) {
		return STREAM_EV_NONE;
	}
	return nvme_vfio_reader_finish_payload(r);
}
