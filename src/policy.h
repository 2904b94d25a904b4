/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an administrator lets the VFs of one PF do beyond what is safe for
 * everybody. Pure, and plain C: also compiled in user space, by whoever must
 * come to the same verdict.
 *
 * Words, as NAME=VALUE with spaces between them:
 *
 *	media=shared|copied	namespaces are the same, or their data were copied
 *	unknown=accept|refuse	what becomes of a state if it is not known at both
 *				ends whether they are
 *	match=strict|firmware|format	see enum policy_match
 *	firmware=OLD>NEW[,...]	what match=firmware lets through, in that direction;
 *				%20 in a name is a space, and so on
 *	format=VERSION[:UUID]	format of the states that are sent
 *	stream=1|2		minor version of the streams that are sent
 *	quarantine=ignore|refuse	whether VFs in quarantine, or of a PF that is, may
 *				migrate
 *
 * The first value applies without the word; for firmware=, format= and stream=:
 * no firmware, the first format of the PF, the latest version.
 */
#ifndef _NVME_VFIO_POLICY_H
#define _NVME_VFIO_POLICY_H

#include <linux/string.h>
#include <linux/types.h>

#define POLICY_PAIRS	8
#define POLICY_FR_LEN	8

/**
 * enum policy_match - what must be the same at both ends
 * @POLICY_STRICT: model, firmware and NVMe version
 * @POLICY_FIRMWARE: the model; another firmware, and with it another NVMe
 *	version, where the pair is on the list
 * @POLICY_FORMAT: none of them, as the format of the state says all
 */
enum policy_match { POLICY_STRICT, POLICY_FIRMWARE, POLICY_FORMAT };

/**
 * struct policy - the words' meaning; zeroed: the defaults
 * @copied: media=copied
 * @refuse_unknown: unknown=refuse
 * @match: enum policy_match
 * @minor: of the streams that are sent, 0 = the latest
 * @quarantine: quarantine=refuse
 * @has_format: @version holds
 * @has_uuid: @uuid holds
 * @pairs: of @firmware that hold
 * @version: of the NVMe part of a state
 * @uuid: of the vendor's part
 * @firmware: of what the state is from, and of where it may go, as Identify has
 *	them, without trailing spaces, NULs behind
 */
struct policy {
	__u8	copied;
	__u8	refuse_unknown;
	__u8	match;
	__u8	minor;
	__u8	quarantine;
	__u8	has_format;
	__u8	has_uuid;
	__u8	pairs;
	__u16	version;
	__u8	uuid[16];
	struct {
		char	from[POLICY_FR_LEN];
		char	to[POLICY_FR_LEN];
	} firmware[POLICY_PAIRS];
};

static inline bool nvme_vfio_policy_is(const char *s, unsigned int len, const char *word)
{
	return strlen(word) == len && !memcmp(s, word, len);
}

static inline int nvme_vfio_policy_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A UUID: 32 digits, with any hyphens between bytes. Return: it is one. */
static inline bool nvme_vfio_policy_uuid(const char *s, unsigned int len, __u8 uuid[16])
{
	unsigned int n = 0, i = 0;

	while (i < len) {
		if (s[i] == '-' && n && n < 16) {
			i++;
			continue;
		}
		if (i + 1 >= len || n == 16 || nvme_vfio_policy_digit(s[i]) < 0 ||
		    nvme_vfio_policy_digit(s[i + 1]) < 0)
			return false;
		uuid[n++] = nvme_vfio_policy_digit(s[i]) << 4 | nvme_vfio_policy_digit(s[i + 1]);
		i += 2;
	}
	return n == 16;
}

static inline const char *nvme_vfio_policy_format(struct policy *p, const char *s,
					unsigned int len)
{
	static const char bad[] = "is not VERSION or VERSION:UUID, with a version from 0 to 65535";
	unsigned int i, version = 0;

	for (i = 0; i < len && s[i] != ':'; i++) {
		if (s[i] < '0' || s[i] > '9' || i > 4)
			return bad;
		version = version * 10 + (s[i] - '0');
	}
	if (!i || version > 0xffff)
		return bad;
	if (i < len) {
		if (!nvme_vfio_policy_uuid(s + i + 1, len - i - 1, p->uuid))
			return bad;
		p->has_uuid = 1;
	}
	p->has_format = 1;
	p->version = version;
	return NULL;
}

/* A character, or %XX for one that means something here. Return: it is one */
static inline bool nvme_vfio_policy_char(const char *s, unsigned int len,
				unsigned int *i, char *c)
{
	int high, low;

	*c = s[*i];
	if (*c != '%')
		return true;
	if (*i + 2 >= len)
		return false;
	high = nvme_vfio_policy_digit(s[*i + 1]);
	low = nvme_vfio_policy_digit(s[*i + 2]);
	*c = high << 4 | low;
	*i += 2;
	return high >= 0 && low >= 0 && *c;
}

static inline const char *nvme_vfio_policy_firmware(struct policy *p, const char *s,
					  unsigned int len)
{
	static const char bad[] =
		"is not OLD>NEW[,OLD>NEW...], each of 1 to 8 characters (%20 is a space)";
	unsigned int i = 0;

	while (i <= len) {
		char name[2][POLICY_FR_LEN] = { { 0 } };
		unsigned int n = 0, side = 0;

		for (; i < len && s[i] != ','; i++) {
			if (s[i] == '>' && !side && n) {
				side = 1;
				n = 0;
				continue;
			}
			if (s[i] == '>' || n == POLICY_FR_LEN ||
			    !nvme_vfio_policy_char(s, len, &i, &name[side][n++]))
				return bad;
		}
		if (!side || !n)
			return bad;
		if (p->pairs == POLICY_PAIRS)
			return "has more than 8 pairs";
		memcpy(p->firmware[p->pairs].from, name[0], POLICY_FR_LEN);
		memcpy(p->firmware[p->pairs++].to, name[1], POLICY_FR_LEN);
		i++;
	}
	return NULL;
}

enum policy_name {
	POLICY_MEDIA, POLICY_UNKNOWN, POLICY_MATCH, POLICY_PAIRS_OF, POLICY_WRITE,
	POLICY_STREAM, POLICY_QUARANTINE, POLICY_NAMES
};

static inline enum policy_name nvme_vfio_policy_name(const char *s, unsigned int len)
{
	static const char * const names[POLICY_NAMES] = {
		"media", "unknown", "match", "firmware", "format", "stream",
		"quarantine",
	};
	unsigned int i;

	for (i = 0; i < POLICY_NAMES && !nvme_vfio_policy_is(s, len, names[i]); i++)
		;
	return i;
}

static inline const char *nvme_vfio_policy_value(struct policy *p, enum policy_name name,
				       const char *s, unsigned int len)
{
	switch (name) {
	case POLICY_MEDIA:
		p->copied = nvme_vfio_policy_is(s, len, "copied");
		return p->copied || nvme_vfio_policy_is(s, len, "shared") ? NULL :
		       "is not media=shared or media=copied";
	case POLICY_UNKNOWN:
		p->refuse_unknown = nvme_vfio_policy_is(s, len, "refuse");
		return p->refuse_unknown || nvme_vfio_policy_is(s, len, "accept") ? NULL :
		       "is not unknown=accept or unknown=refuse";
	case POLICY_MATCH:
		p->match = nvme_vfio_policy_is(s, len, "firmware") ? POLICY_FIRMWARE :
			   nvme_vfio_policy_is(s, len, "format") ? POLICY_FORMAT :
			   POLICY_STRICT;
		return p->match || nvme_vfio_policy_is(s, len, "strict") ? NULL :
		       "is not match=strict, match=firmware or match=format";
	case POLICY_PAIRS_OF:
		return nvme_vfio_policy_firmware(p, s, len);
	case POLICY_WRITE:
		return nvme_vfio_policy_format(p, s, len);
	case POLICY_STREAM:
		p->minor = len == 1 ? s[0] - '0' : 0;
		return p->minor == 1 || p->minor == 2 ? NULL :
		       "is not stream=1 or stream=2";
	case POLICY_QUARANTINE:
		p->quarantine = nvme_vfio_policy_is(s, len, "refuse");
		return p->quarantine || nvme_vfio_policy_is(s, len, "ignore") ? NULL :
		       "is not quarantine=ignore or quarantine=refuse";
	case POLICY_NAMES:
		break;
	}
	return "is none of media=, unknown=, match=, firmware=, format=, stream= and quarantine=";
}

/**
 * nvme_vfio_policy_parse - make a policy of its words
 * @p: the policy
 * @text: the words
 * @bad: set to the word that is wrong
 * @len: and to its length
 *
 * Return: NULL, or what is wrong with the word
 */
static inline const char *nvme_vfio_policy_parse(struct policy *p, const char *text,
				       const char **bad, unsigned int *len)
{
	unsigned int seen = 0;

	memset(p, 0, sizeof(*p));
	for (;;) {
		const char *why, *value;
		enum policy_name name;
		unsigned int n = 0;

		while (*text == ' ' || *text == '\t' || *text == '\n')
			text++;
		if (!*text)
			break;
		while (text[n] && text[n] != ' ' && text[n] != '\t' &&
		       text[n] != '\n')
			n++;
		*bad = text;
		*len = n;
		value = memchr(text, '=', n);
		if (!value)
			return "is not NAME=VALUE";
		name = nvme_vfio_policy_name(text, value - text);
		if (seen & 1U << name)
			return "is given twice";
		seen |= 1U << name;
		why = nvme_vfio_policy_value(p, name, value + 1, text + n - value - 1);
		if (why)
			return why;
		text += n;
	}
	*bad = "firmware=";
	*len = 9;
	if (p->match == POLICY_FIRMWARE && !p->pairs)
		return "is missing: match=firmware needs it";
	if (p->match != POLICY_FIRMWARE && p->pairs)
		return "has no effect without match=firmware";
	return NULL;
}

/* Is it this firmware, as Identify has it, with spaces behind? */
static inline bool nvme_vfio_policy_firmware_is(const char *name, const __u8 *fr)
{
	unsigned int i;

	for (i = 0; i < POLICY_FR_LEN; i++)
		if (fr[i] != (name[i] ? (__u8)name[i] : ' '))
			return false;
	return true;
}

/**
 * nvme_vfio_policy_lets_firmware - may a state go from one firmware to another?
 * @p: the policy, or NULL
 * @from: of what it was taken from
 * @to: of where it is to be loaded
 */
static inline bool nvme_vfio_policy_lets_firmware(const struct policy *p,
					const __u8 *from, const __u8 *to)
{
	unsigned int i;

	if (!p || p->match == POLICY_STRICT)
		return false;
	if (p->match == POLICY_FORMAT)
		return true;
	for (i = 0; i < p->pairs; i++)
		if (nvme_vfio_policy_firmware_is(p->firmware[i].from, from) &&
		    nvme_vfio_policy_firmware_is(p->firmware[i].to, to))
			return true;
	return false;
}

#endif
