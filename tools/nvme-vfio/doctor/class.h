/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * class.h - the class of a VF: VFs of one class take each other's state, as far as
 * that does not depend on which volumes a guest has. Pure; the judgement is the
 * driver's own (host/verdict.h).
 *
 * The id is a number made of a text that has what is judged. Both stay as they are
 * in later versions: what has to be in it beyond this is for ids of another prefix,
 * which have this one's beside them.
 */
#ifndef NVME_VFIO_CLASS_H
#define NVME_VFIO_CLASS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "host/verdict.h"

#define CLASS_PREFIX	"c1-"
#define CLASS_ID_LEN	16	/* with 12 digits and a NUL */
#define CLASS_TEXT_LEN	2048
#define CLASS_MACHINE_LEN 32

/** struct class_block - how blocks of a namespace are made, as namespaces.h has it */
struct class_block {
	uint8_t shift;
	uint8_t extended;
	uint8_t protection;
	uint16_t metadata;
};

/**
 * struct class_facts - all that is judged; zeroed where nothing is said
 * @machine: of the processor, as uname has it
 * @id: as the driver fills it, with the format that is sent
 * @formats: all that the PF lists
 * @has_formats: they are known
 * @no_format: the policy names one that the PF does not have: nothing is sent
 * @policy: of the PF
 * @tracking: drive and kernel track what the VF writes to memory
 * @limit_mb: largest state that is taken, MiB
 * @state_bytes: size of its state; 0 = not known
 * @namespaces: they are known
 * @told: of each it is known how its blocks are made
 * @blocks: kinds of blocks in @block, ascending, each once
 * @unsure: not all can be told from others: with media=shared, with media=copied
 */
struct class_facts {
	char machine[CLASS_MACHINE_LEN];
	struct stream_identity id;
	uint8_t formats[LM_FORMATS_LEN];
	bool has_formats;
	bool no_format;
	struct policy policy;
	bool tracking;
	uint32_t limit_mb;
	uint64_t state_bytes;
	bool namespaces;
	bool told;
	unsigned int blocks;
	struct class_block block[NS_MAX_LISTED];
	bool unsure[2];
};

/* What is judged beside the parts of the identity. */
enum class_part {
	CLASS_MACHINE = IDENTITY_PARTS,
	CLASS_TRACKING,
	CLASS_LIMIT,
	CLASS_MEDIA,
	CLASS_BLOCKS,
	CLASS_NAMESPACES,
	CLASS_STREAM,
	CLASS_PARTS
};

/** enum class_move - would the driver there take a state? */
enum class_move {
	CLASS_NO,
	CLASS_PERHAPS,		/* it depends on what is not in a class */
	CLASS_YES,
};

/* -- facts -------------------------------------------------------------------- */

static inline int class_block_cmp(const struct class_block *a,
				  const struct class_block *b)
{
	return a->shift != b->shift ? a->shift - b->shift :
	       a->metadata != b->metadata ? a->metadata - b->metadata :
	       a->extended != b->extended ? a->extended - b->extended :
	       a->protection - b->protection;
}

static inline void class_add_block(struct class_facts *f,
				   const struct stream_namespace *n)
{
	const struct class_block b = {
		.shift = n->lba_shift, .metadata = lm_le16(&n->metadata),
		.extended = n->extended, .protection = n->protection,
	};
	unsigned int i;

	for (i = 0; i < f->blocks && class_block_cmp(&f->block[i], &b) < 0; i++)
		;
	if (i < f->blocks && !class_block_cmp(&f->block[i], &b))
		return;
	memmove(&f->block[i + 1], &f->block[i],
		(f->blocks - i) * sizeof(f->block[0]));
	f->block[i] = b;
	f->blocks++;
}

/**
 * class_take_namespaces - of which kind they are
 *
 * Not which they are, how large, or how many: they are the guest's. They come to
 * the VF that it moves to, and are compared when it moves.
 */
static inline void class_take_namespaces(struct class_facts *f,
					 const struct stream_namespaces *ns)
{
	unsigned int i, copied;

	f->namespaces = ns->known;
	f->told = ns->known;
	for (i = 0; i < lm_le16(&ns->listed); i++) {
		if (ns->ns[i].flags & NS_F_STRUCT)
			class_add_block(f, &ns->ns[i]);
		else
			f->told = false;
	}
	for (copied = 0; copied < 2; copied++)
		f->unsure[copied] = ns_compare(ns, ns, copied).unsure;
}

/* -- the judgement ------------------------------------------------------------ */

static inline bool class_same_blocks(const struct class_facts *a,
				     const struct class_facts *b)
{
	unsigned int i;

	for (i = 0; i < a->blocks && i < b->blocks; i++)
		if (class_block_cmp(&a->block[i], &b->block[i]))
			return false;
	return a->blocks == b->blocks;
}

/* What policies say of states that do not tell all. */
static inline bool class_refuses_unknown(const struct class_facts *from,
					 const struct class_facts *to,
					 unsigned int *part)
{
	bool copied = to->policy.copied;

	if (!to->policy.refuse_unknown)
		return false;
	if (from->policy.minor && from->policy.minor < STREAM_MINOR_NAMESPACES)
		*part = CLASS_STREAM;
	else if (from->unsure[copied] || to->unsure[copied])
		*part = CLASS_NAMESPACES;
	else
		return false;
	return true;
}

/* As QEMU and the driver do it, with a state of the size that is known or not. */
static inline enum class_move class_depends(const struct class_facts *from,
					    const struct class_facts *to,
					    unsigned int *part)
{
	if (to->limit_mb < from->limit_mb &&
	    (!from->state_bytes ||
	     from->state_bytes > (uint64_t)to->limit_mb << 20)) {
		*part = CLASS_LIMIT;
		return from->state_bytes ? CLASS_NO : CLASS_PERHAPS;
	}
	if (from->policy.copied && !to->policy.copied)
		*part = CLASS_MEDIA;
	else if (from->tracking && !to->tracking)
		*part = CLASS_TRACKING;
	else
		return CLASS_YES;
	return CLASS_PERHAPS;
}

/**
 * class_moves - can a guest move from one VF to the other?
 * @part: set to what is in the way, or what it depends on: enum identity_part or
 *	enum class_part
 */
static inline enum class_move class_moves(const struct class_facts *from,
					  const struct class_facts *to,
					  unsigned int *part)
{
	const struct identity_rules rules = {
		.policy = &to->policy,
		.formats = to->has_formats ? to->formats : NULL,
	};

	*part = CLASS_MACHINE;
	if (strcmp(from->machine, to->machine))
		return CLASS_NO;
	for (*part = 0; *part < IDENTITY_PARTS; ++*part)
		if (!identity_fits(&from->id, &to->id, &rules, *part) ||
		    (*part == IDENTITY_FORMAT && from->no_format))
			return CLASS_NO;
	*part = CLASS_BLOCKS;
	if (from->told && to->told && !class_same_blocks(from, to))
		return CLASS_NO;
	if (class_refuses_unknown(from, to, part))
		return CLASS_NO;
	return class_depends(from, to, part);
}

/* -- its name ----------------------------------------------------------------- */

/* A text in the making; @full: it has become too long. */
struct class_text {
	char *to;
	size_t len;
	bool full;
};

__attribute__((format(printf, 2, 3)))
static inline void class_put(struct class_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->to + t->len, CLASS_TEXT_LEN - t->len, fmt, ap);
	va_end(ap);
	t->full |= n < 0 || (size_t)n >= CLASS_TEXT_LEN - t->len;
	if (!t->full)
		t->len += n;
}

/* Without the spaces behind; what could be taken for something else as %XX. */
static inline void class_put_name(struct class_text *t, const char *key,
				  const void *name, size_t len)
{
	const uint8_t *c = name;
	size_t i;

	while (len && (c[len - 1] == ' ' || !c[len - 1]))
		len--;
	class_put(t, " %s=", key);
	for (i = 0; i < len; i++)
		class_put(t, c[i] > ' ' && c[i] < 0x7f && c[i] != '%' ? "%c" :
			  "%%%02X", c[i]);
}

static inline void class_put_format(struct class_text *t,
				    const struct stream_identity *id)
{
	unsigned int i;

	if (!id->has_uuid) {
		class_put(t, " format=none");
		return;
	}
	class_put(t, " format=%u:", lm_le16(&id->state_version));
	for (i = 0; i < sizeof(id->uuid); i++)
		class_put(t, "%02x", id->uuid[i]);
}

static inline void class_put_namespaces(struct class_text *t,
					const struct class_facts *f)
{
	unsigned int i;

	class_put(t, " media=%s", f->policy.copied ? "copied" : "shared");
	class_put(t, " namespaces=%s", !f->namespaces ? "unknown" :
		  f->unsure[f->policy.copied] ? "unsure" : "known");
	if (!f->told)
		return;
	class_put(t, " blocks=");
	for (i = 0; i < f->blocks; i++) {
		const struct class_block *b = &f->block[i];

		class_put(t, "%s%llu", i ? "," : "", b->shift < 64 ?
			  1ULL << b->shift : 0);
		if (b->metadata || b->extended || b->protection)
			class_put(t, "+%u/%u/%u", b->metadata, b->extended,
				  b->protection);
	}
	if (!f->blocks)
		class_put(t, "none");
}

/**
 * class_text - what the id is made of: KEY=VALUE with a space between them
 * @text: CLASS_TEXT_LEN bytes
 *
 * Return: there is room for it.
 */
static inline bool class_text(const struct class_facts *f, char *text)
{
	const struct stream_identity *id = &f->id;
	struct class_text t = { .to = text };
	uint32_t version = ns_get32(&id->nvme_version);
	uint32_t set = ns_get32(&id->cmdset);

	class_put(&t, "machine=%s command_set=%s pci_id=%04x:%04x", f->machine,
		  set == CMDSET_STANDARD ? "standard" : "vendor",
		  lm_le16(&id->pci_vendor), lm_le16(&id->pci_device));
	if (f->policy.match == POLICY_FORMAT) {
		class_put(&t, " match=format");
	} else {
		class_put_name(&t, "model", id->model, sizeof(id->model));
		class_put_name(&t, "firmware", id->firmware,
			       sizeof(id->firmware));
		class_put(&t, " nvme_version=%u.%u.%u", version >> 16,
			  version >> 8 & 0xff, version & 0xff);
	}
	class_put_format(&t, id);
	class_put(&t, " queues=%u interrupts=%u tracking=%s max_state_mb=%u",
		  lm_le16(&id->nvq), lm_le16(&id->nvi),
		  f->tracking ? "yes" : "no", f->limit_mb);
	class_put_namespaces(&t, f);
	if (f->policy.minor && f->policy.minor < STREAM_MINOR_NAMESPACES)
		class_put(&t, " stream=%u", f->policy.minor);
	return !t.full;
}

static inline void class_id_of(const char *text, char *id)
{
	uint64_t h = ns_hash(0xcbf29ce484222325ULL, text, strlen(text));

	snprintf(id, CLASS_ID_LEN, CLASS_PREFIX "%012llx",
		 (unsigned long long)((h ^ h >> 48) & 0xffffffffffffULL));
}

/**
 * class_id - the name of the class
 * @id: CLASS_ID_LEN bytes
 *
 * Return: it has one: VFs that are like this one take its state.
 */
static inline bool class_id(const struct class_facts *f, char *id)
{
	char text[CLASS_TEXT_LEN];
	unsigned int part;

	if (class_moves(f, f, &part) != CLASS_YES || !class_text(f, text))
		return false;
	class_id_of(text, id);
	return true;
}

#endif
