/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: what tests control and see.
 *
 * One list of names, nvme-lm-knobs.h, serves the device's properties and the two
 * admin commands of the test control.
 */

#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/pci/pcie_sriov.h"
#include "nvme-lm-priv.h"

#define TEST_MAX_DWORDS 1024

static const char *const lm_sets[] = { "off", "standard", "vendor", "both" };

static const uint8_t lm_sel_opcodes[LM_COUNTED_SELS] = {
    LM_ADM_TRACK_SEND, LM_ADM_TRACK_RECV, LM_ADM_SEND, LM_ADM_RECV, LM_ADM_CDQ,
};

static const uint8_t lm_plain_opcodes[] = {
    NVME_ADM_CMD_IDENTIFY,
    LM_ADM_QUERY_SIZE, LM_ADM_SUSPEND, LM_ADM_RESUME, LM_ADM_SAVE, LM_ADM_LOAD,
};

/* one rule of lm-fail or lm-hang; a hang has no status */
static bool lm_parse_rule(const char *text, bool fail, NvmeLmRule *rule)
{
    const char *end;
    unsigned value;

    if (qemu_strtoui(text, &end, 0, &value) || value > 0xff) {
        return false;
    }
    rule->opcode = value;
    rule->sel = -1;
    if (*end == '/') {
        if (qemu_strtoui(end + 1, &end, 0, &value) || value > 0xff) {
            return false;
        }
        rule->sel = value;
    }
    if (*end != '@' || qemu_strtou64(end + 1, &end, 0, &rule->left) ||
        !rule->left) {
        return false;
    }
    if (!fail) {
        return !*end;
    }
    /* a completion's status has 15 bits */
    if (*end != '=' || qemu_strtoui(end + 1, NULL, 0, &value) ||
        value > 0x7fff) {
        return false;
    }
    rule->status = value;
    return true;
}

static GArray *lm_parse_rules(const char *text, bool fail)
{
    g_auto(GStrv) list = g_strsplit(text, "+", -1);
    g_autoptr(GArray) rules = g_array_new(false, false, sizeof(NvmeLmRule));

    for (char **s = list; *s; s++) {
        NvmeLmRule rule;

        if (!lm_parse_rule(*s, fail, &rule)) {
            return NULL;
        }
        g_array_append_val(rules, rule);
    }
    return g_steal_pointer(&rules);
}

NvmeLmRule *nvme_lm_rule_hit(GArray *rules, uint8_t opcode, uint8_t sel)
{
    NvmeLmRule *hit = NULL;

    for (unsigned i = 0; rules && i < rules->len; i++) {
        NvmeLmRule *rule = &g_array_index(rules, NvmeLmRule, i);

        if (rule->opcode == opcode && (rule->sel < 0 || rule->sel == sel) &&
            rule->left && !--rule->left && !hit) {
            hit = rule;
        }
    }
    return hit;
}

static const struct {
    const char *name;
    unsigned   lie;
} lm_lies[] = {
    { "csup-clear", LM_LIE_CSUP_CLEAR },
    { "lose-cqe", LM_LIE_LOSE_CQE },
    { "double-cqe", LM_LIE_DOUBLE_CQE },
    { "forget-page", LM_LIE_FORGET_PAGE },
    { "deaf", LM_LIE_DEAF },
    { "huge", LM_LIE_HUGE },
    { "report-overflow", LM_LIE_OVERFLOW },
};

static bool lm_parse_lies(const char *text, unsigned *lies)
{
    g_auto(GStrv) list = g_strsplit(text, "+", -1);

    *lies = 0;
    for (char **s = list; *s; s++) {
        unsigned i;

        for (i = 0; i < ARRAY_SIZE(lm_lies); i++) {
            if (g_str_equal(*s, lm_lies[i].name)) {
                *lies |= lm_lies[i].lie;
                break;
            }
        }
        if (i == ARRAY_SIZE(lm_lies)) {
            return false;
        }
    }
    return true;
}

/* Setters: an empty value means the default; with DRY only the value is judged. */
static bool lm_set_sets(NvmeLm *lm, const char *value, bool dry)
{
    for (unsigned i = 0; i < ARRAY_SIZE(lm_sets); i++) {
        if (g_str_equal(*value ? value : "off", lm_sets[i])) {
            if (!dry) {
                lm->sets = i;
            }
            return true;
        }
    }
    return false;
}

static char *lm_get_sets(NvmeLm *lm)
{
    return g_strdup(lm_sets[lm->sets]);
}

static bool lm_set_pad(NvmeLm *lm, const char *value, bool dry)
{
    uint64_t pad = 0;

    if (*value && qemu_strtosz(value, NULL, &pad)) {
        return false;
    }
    if (pad % 4 || pad > LM_MAX_PAD) {
        return false;
    }
    if (!dry) {
        lm->pad = pad;
    }
    return true;
}

static char *lm_get_pad(NvmeLm *lm)
{
    return g_strdup_printf("%" PRIu64, lm->pad);
}

static bool lm_set_rules(GArray **rules, char **text, const char *value,
                         bool fail, bool dry)
{
    g_autoptr(GArray) parsed = *value ? lm_parse_rules(value, fail) : NULL;

    if (*value && !parsed) {
        return false;
    }
    if (!dry) {
        g_clear_pointer(rules, g_array_unref);
        *rules = g_steal_pointer(&parsed);
        g_free(*text);
        *text = g_strdup(value);
    }
    return true;
}

static bool lm_set_fail(NvmeLm *lm, const char *value, bool dry)
{
    return lm_set_rules(&lm->fail, &lm->fail_text, value, true, dry);
}

static char *lm_get_fail(NvmeLm *lm)
{
    return g_strdup(lm->fail_text ?: "");
}

static bool lm_set_hang(NvmeLm *lm, const char *value, bool dry)
{
    return lm_set_rules(&lm->hang, &lm->hang_text, value, false, dry);
}

static char *lm_get_hang(NvmeLm *lm)
{
    return g_strdup(lm->hang_text ?: "");
}

static bool lm_set_lie(NvmeLm *lm, const char *value, bool dry)
{
    unsigned lies = 0;

    if (*value && !lm_parse_lies(value, &lies)) {
        return false;
    }
    if (!dry) {
        lm->lies = lies;
    }
    return true;
}

static char *lm_get_lie(NvmeLm *lm)
{
    GString *s = g_string_new(NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(lm_lies); i++) {
        if (lm->lies & lm_lies[i].lie) {
            g_string_append_printf(s, "%s%s", s->len ? "+" : "",
                                   lm_lies[i].name);
        }
    }
    return g_string_free(s, false);
}

static bool lm_set_name(char **name, size_t max, const char *value, bool dry)
{
    if (strlen(value) > max) {
        return false;
    }
    if (!dry) {
        g_free(*name);
        *name = g_strdup(value);
    }
    return true;
}

static bool lm_set_model(NvmeLm *lm, const char *value, bool dry)
{
    return lm_set_name(&lm->model, sizeof_field(NvmeIdCtrl, mn), value, dry);
}

static char *lm_get_model(NvmeLm *lm)
{
    return g_strdup(lm->model ?: "");
}

static bool lm_set_firmware(NvmeLm *lm, const char *value, bool dry)
{
    return lm_set_name(&lm->firmware, sizeof_field(NvmeIdCtrl, fr), value, dry);
}

static char *lm_get_firmware(NvmeLm *lm)
{
    return g_strdup(lm->firmware ?: "");
}

/* CMMRTD, and after a slash NMMRTD if it differs */
static bool lm_set_ranges(NvmeLm *lm, const char *value, bool dry)
{
    unsigned cmmrtd = 16, nmmrtd;
    const char *end = value;

    if (*value && qemu_strtoui(value, &end, 0, &cmmrtd)) {
        return false;
    }
    nmmrtd = cmmrtd;
    if (*end && (*end != '/' || qemu_strtoui(end + 1, NULL, 0, &nmmrtd))) {
        return false;
    }
    if (!cmmrtd || cmmrtd > UINT16_MAX || !nmmrtd || nmmrtd > UINT16_MAX) {
        return false;
    }
    if (!dry) {
        lm->track_cmmrtd = cmmrtd;
        lm->track_nmmrtd = nmmrtd;
    }
    return true;
}

static char *lm_get_ranges(NvmeLm *lm)
{
    return g_strdup_printf("%u/%u", lm->track_cmmrtd, lm->track_nmmrtd);
}

static bool lm_set_ids(NvmeLm *lm, const char *value, bool dry)
{
    unsigned first = 0, step = 1;
    const char *end = value;
    bool down = false;

    if (*value && (qemu_strtoui(value, &end, 0, &first) || !first)) {
        return false;
    }
    if (*end && (*end != '/' || qemu_strtoui(end + 1, &end, 0, &step))) {
        return false;
    }
    if (*end) {
        down = g_str_equal(end, "/down");
        if (!down) {
            return false;
        }
    }
    if (first >= NVME_MAX_CONTROLLERS || !step || step >= NVME_MAX_CONTROLLERS) {
        return false;
    }
    if (!dry) {
        lm->id_first = first;
        lm->id_step = step;
        lm->id_down = down;
    }
    return true;
}

static char *lm_get_ids(NvmeLm *lm)
{
    return lm->id_first ? g_strdup_printf("%u/%u%s", lm->id_first, lm->id_step,
                                          lm->id_down ? "/down" : "") :
                          g_strdup("");
}

static void lm_run_reset_counters(NvmeLm *lm)
{
    for (unsigned i = 0; i < 256; i++) {
        lm->count[i] = (NvmeLmCount) { .status = -1 };
        for (unsigned k = 0; k < LM_COUNTED_SELS; k++) {
            lm->count_sel[k][i] = (NvmeLmCount) { .status = -1 };
        }
    }
}

static void lm_run_reset_knobs(NvmeLm *lm);

typedef struct LmName {
    const char *name;
    const char *help;
    void (*run)(NvmeLm *lm);
    bool (*set)(NvmeLm *lm, const char *value, bool dry);
    char *(*get)(NvmeLm *lm);
    /* without them: a number in NvmeLm, a switch, or one of the words below */
    size_t     offset;
    uint32_t   initial, max;
    bool       onoff;
    const char *const *words;
} LmName;

#define LM_NUMBER(text, field, first, most, about) \
    { text, about, .offset = offsetof(NvmeLm, field), .initial = first, \
      .max = most },
#define LM_SWITCH(text, field, first, about) \
    { text, about, .offset = offsetof(NvmeLm, field), .initial = first, \
      .onoff = true },
#define LM_WORD(text, field, about, ...) \
    { text, about, .offset = offsetof(NvmeLm, field), \
      .words = (const char *const []) { __VA_ARGS__, NULL } },
#define LM_OTHER(text, what, about) \
    { text, about, .set = lm_set_##what, .get = lm_get_##what },
#define LM_COMMAND(text, what, about) \
    { text, about, .run = lm_run_##what },

static const LmName lm_names[] = {
#include "nvme-lm-knobs.h"
};

static bool lm_find_word(const char *const *words, const char *value,
                         uint32_t *number)
{
    for (*number = 0; words[*number]; ++*number) {
        if (g_str_equal(words[*number], value)) {
            return true;
        }
    }
    return false;
}

static bool lm_name_set(const LmName *entry, NvmeLm *lm, const char *value,
                        bool dry)
{
    uint32_t number = entry->initial;

    if (entry->run) {
        if (!g_str_equal(value, "1")) {
            return false;
        }
        if (!dry) {
            entry->run(lm);
        }
        return true;
    }
    if (entry->set) {
        return entry->set(lm, value, dry);
    }
    if (entry->words && *value) {
        if (!lm_find_word(entry->words, value, &number)) {
            return false;
        }
    } else if (entry->onoff && *value) {
        number = g_str_equal(value, "on");
        if (!number && !g_str_equal(value, "off")) {
            return false;
        }
    } else if (*value && (qemu_strtoui(value, NULL, 0, &number) ||
                          number > entry->max)) {
        return false;
    }
    if (!dry) {
        *(uint32_t *)((char *)lm + entry->offset) = number;
    }
    return true;
}

static bool lm_name_readable(const LmName *entry)
{
    return !entry->run;
}

static char *lm_name_get(const LmName *entry, NvmeLm *lm)
{
    uint32_t number = *(uint32_t *)((char *)lm + entry->offset);

    if (entry->get) {
        return entry->get(lm);
    }
    if (entry->words) {
        return g_strdup(entry->words[number]);
    }
    return entry->onoff ? g_strdup(number ? "on" : "off") :
                          g_strdup_printf("%u", number);
}

/* Tests change what they like; the next one asks for this and need not know. */
static void lm_run_reset_knobs(NvmeLm *lm)
{
    for (unsigned i = 0; lm->started && i < ARRAY_SIZE(lm_names); i++) {
        if (lm->started[i]) {
            lm_name_set(&lm_names[i], lm, lm->started[i], false);
        }
    }
}

/* The PF's command line has been read. */
void nvme_lm_test_started(NvmeLm *lm)
{
    lm->started = g_new0(char *, ARRAY_SIZE(lm_names));
    for (unsigned i = 0; i < ARRAY_SIZE(lm_names); i++) {
        if (lm_name_readable(&lm_names[i])) {
            lm->started[i] = lm_name_get(&lm_names[i], lm);
        }
    }
}

static int lm_sel_index(uint8_t opcode)
{
    for (unsigned i = 0; i < LM_COUNTED_SELS; i++) {
        if (lm_sel_opcodes[i] == opcode) {
            return i;
        }
    }
    return -1;
}

static NvmeLmCount *lm_count_sel(NvmeLm *lm, NvmeRequest *req)
{
    int i = lm_sel_index(req->cmd.opcode);

    return i < 0 ? NULL :
           &lm->count_sel[i][le32_to_cpu(req->cmd.cdw10) & 0xff];
}

void nvme_lm_count(NvmeCtrl *pf, NvmeRequest *req)
{
    NvmeLmCount *sel = lm_count_sel(pf->lm, req);

    pf->lm->count[req->cmd.opcode].seen++;
    if (sel) {
        sel->seen++;
    }
}

void nvme_lm_record(NvmeCtrl *pf, NvmeRequest *req, uint16_t status)
{
    NvmeLmCount *sel = lm_count_sel(pf->lm, req);

    status &= 0x7ff;            /* type and code, without DNR and More */
    pf->lm->count[req->cmd.opcode].status = status;
    if (sel) {
        sel->status = status;
    }
}

static void lm_print_count(GString *s, const NvmeLmCount *c, const char *what)
{
    if (c->seen) {
        g_string_append_printf(s, "count.%s=%" PRIu64 "\n", what, c->seen);
    }
    if (c->status >= 0) {
        g_string_append_printf(s, "status.%s=0x%03x\n", what, c->status);
    }
}

static void lm_print_vf(GString *s, NvmeCtrl *pf, unsigned i)
{
    static const char *const names[] = {
        [LM_RUNNING] = "running",
        [LM_SUSPENDING] = "suspending",
        [LM_SUSPENDED] = "suspended",
        [LM_RESUMING] = "resuming",
    };
    NvmeSecCtrlEntry *sctrl = &pf->sec_ctrl_list[i];
    unsigned id = le16_to_cpu(sctrl->scid);
    NvmeCtrl *vf = nvme_lm_vf_at(pf, i);

    if (!vf) {
        return;
    }
    g_string_append_printf(s, "vf.%u=%s\n", id,
                           sctrl->scs ? names[vf->lm->state] : "offline");
    g_string_append_printf(s, "vf.%u.resets=%u\n", id, vf->lm->resets);
    if (vf->lm->seq) {
        g_string_append_printf(s, "vf.%u.sequence=open\n", id);
    }
    if (vf->lm->uncommitted) {
        g_string_append_printf(s, "vf.%u.uncommitted=1\n", id);
    }
    if (vf->lm->track.nr) {
        g_string_append_printf(s, "vf.%u.tracked=%u\n", id, vf->lm->track.nr);
    }
    if (vf->lm->refused) {
        g_string_append_printf(s, "vf.%u.refused=%s\n", id, vf->lm->refused);
    }
}

static void lm_print_counters(GString *s, NvmeCtrl *pf)
{
    NvmeLm *lm = pf->lm;
    char what[16];

    for (unsigned i = 0; i < LM_COUNTED_SELS; i++) {
        uint8_t opcode = lm_sel_opcodes[i];

        snprintf(what, sizeof(what), "%02x", opcode);
        lm_print_count(s, &lm->count[opcode], what);
        for (unsigned sel = 0; sel < 256; sel++) {
            snprintf(what, sizeof(what), "%02x.%u", opcode, sel);
            lm_print_count(s, &lm->count_sel[i][sel], what);
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(lm_plain_opcodes); i++) {
        snprintf(what, sizeof(what), "%02x", lm_plain_opcodes[i]);
        lm_print_count(s, &lm->count[lm_plain_opcodes[i]], what);
    }
    for (unsigned i = 0; i < pf->nr_sec_ctrls; i++) {
        lm_print_vf(s, pf, i);
    }
}

static const LmName *lm_find_name(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(lm_names); i++) {
        if (g_str_equal(name, lm_names[i].name)) {
            return &lm_names[i];
        }
    }
    return NULL;
}

/* all lines or none */
static bool lm_set_lines(NvmeLm *lm, char **lines, bool dry)
{
    for (char **line = lines; *line; line++) {
        const char *eq = strchr(*line, '=');
        g_autofree char *name = NULL;
        const LmName *entry;

        if (!**line) {
            continue;
        }
        if (!eq) {
            return false;
        }
        name = g_strndup(*line, eq - *line);
        entry = lm_find_name(name);
        if (!entry || !lm_name_set(entry, lm, eq + 1, dry)) {
            return false;
        }
    }
    return true;
}

uint16_t nvme_lm_test_set(NvmeCtrl *pf, NvmeRequest *req)
{
    uint32_t dwords = le32_to_cpu(req->cmd.cdw10);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    uint16_t status;

    if (!dwords || dwords > TEST_MAX_DWORDS) {
        return LM_BAD_FIELD;
    }
    text = g_malloc(dwords * 4);
    status = nvme_lm_h2c(pf, text, dwords * 4, req);
    if (status) {
        return status;
    }
    if (!memchr(text, 0, dwords * 4)) {
        return LM_BAD_FIELD;
    }
    lines = g_strsplit(text, "\n", -1);
    if (!lm_set_lines(pf->lm, lines, true)) {
        return LM_BAD_FIELD;
    }
    lm_set_lines(pf->lm, lines, false);
    nvme_lm_apply(pf);
    return NVME_SUCCESS;
}

/* DW0 says how long the text is, so that one that was cut can be noticed. */
uint16_t nvme_lm_test_get(NvmeCtrl *pf, NvmeRequest *req)
{
    uint32_t dwords = le32_to_cpu(req->cmd.cdw10);
    g_autoptr(GString) s = g_string_new(NULL);
    g_autofree char *buf = NULL;

    if (!dwords || dwords > TEST_MAX_DWORDS) {
        return LM_BAD_FIELD;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(lm_names); i++) {
        if (lm_name_readable(&lm_names[i])) {
            g_autofree char *value = lm_name_get(&lm_names[i], pf->lm);

            g_string_append_printf(s, "%s=%s\n", lm_names[i].name, value);
        }
    }
    lm_print_counters(s, pf);
    buf = g_malloc0(dwords * 4);
    pstrcpy(buf, dwords * 4, s->str);
    req->cqe.result = cpu_to_le32(s->len);
    return nvme_lm_c2h(pf, buf, dwords * 4, req);
}

static void lm_prop_get(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    const LmName *entry = opaque;
    g_autofree char *value = lm_name_get(entry, NVME(obj)->lm);

    visit_type_str(v, name, &value, errp);
}

static void lm_prop_set(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    const LmName *entry = opaque;
    NvmeCtrl *n = NVME(obj);
    g_autofree char *value = NULL;

    if (!visit_type_str(v, name, &value, errp)) {
        return;
    }
    if (!lm_name_set(entry, n->lm, value, false)) {
        error_setg(errp, "bad value for %s: '%s'", name, value);
        return;
    }
    if (qdev_is_realized(DEVICE(n)) && !pci_is_vf(PCI_DEVICE(n))) {
        nvme_lm_apply(n);
    }
}

static char *lm_prop_counters(Object *obj, Error **errp)
{
    NvmeCtrl *n = NVME(obj);
    GString *s = g_string_new(NULL);

    if (qdev_is_realized(DEVICE(n))) {
        lm_print_counters(s, n);
    }
    return g_string_free(s, false);
}

void nvme_lm_test_init(Object *obj)
{
    lm_run_reset_counters(NVME(obj)->lm);
    for (unsigned i = 0; i < ARRAY_SIZE(lm_names); i++) {
        const LmName *entry = &lm_names[i];

        object_property_add(obj, entry->name, "str",
                            lm_name_readable(entry) ? lm_prop_get : NULL,
                            lm_prop_set, NULL, (void *)entry);
        object_property_set_description(obj, entry->name, entry->help);
        if (lm_name_readable(entry)) {
            lm_name_set(entry, NVME(obj)->lm, "", false);
        }
    }
    object_property_add_str(obj, "lm-counters", lm_prop_counters, NULL);
    object_property_set_description(obj, "lm-counters",
                                    "read only: the counters of the report");
}

void nvme_lm_test_finalize(NvmeLm *lm)
{
    for (unsigned i = 0; lm->started && i < ARRAY_SIZE(lm_names); i++) {
        g_free(lm->started[i]);
    }
    g_free(lm->started);
    g_free(lm->fail_text);
    g_free(lm->hang_text);
    g_clear_pointer(&lm->fail, g_array_unref);
    g_clear_pointer(&lm->hang, g_array_unref);
    g_free(lm->model);
    g_free(lm->firmware);
}
