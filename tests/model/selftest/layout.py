# SPDX-License-Identifier: GPL-2.0-only
"""Where things are in a saved state, for tests that inspect it or tamper with it."""

import struct

HEADER = 48
VENDOR_FIXED = 704

# LmVendor of nvme-lm-format.h: name -> (offset, struct code)
VENDOR = {
    "magic": (0, "<I"), "version": (4, "<H"), "fixed_len": (6, "<H"),
    "length": (8, "<I"), "pad_len": (12, "<I"), "cap": (16, "<Q"),
    "vs": (24, "<I"), "nr_ioqpairs": (28, "<H"), "nr_vectors": (30, "<H"),
    "mdts": (32, "<B"), "rsvd33": (33, "<B"), "flags": (36, "<B"),
    "aer_mask": (37, "<B"), "smart_warning": (38, "<B"), "rsvd39": (39, "<B"),
    "cc": (40, "<I"), "csts": (44, "<I"), "intms": (48, "<I"),
    "aqa": (52, "<I"), "asq": (56, "<Q"), "acq": (64, "<Q"),
    "dbbuf_dbs": (72, "<Q"), "dbbuf_eis": (80, "<Q"),
    "asq_head": (88, "<H"), "asq_tail": (90, "<H"), "acq_head": (92, "<H"),
    "acq_tail": (94, "<H"), "acq_phase": (96, "<B"), "rsvd97": (97, "<B"),
    "niosq": (100, "<H"), "niocq": (102, "<H"), "nr_aers": (104, "<H"),
    "nr_events": (106, "<H"), "max_events": (108, "<H"), "rsvd110": (110, "<H"),
    "nr_cqes": (112, "<I"), "async_config": (116, "<I"), "temp_hi": (120, "<H"),
    "temp_low": (122, "<H"), "timestamp": (124, "<Q"),
    "timestamp_age": (132, "<Q"), "dn": (140, "<I"),
    "atomic_max_write": (144, "<I"), "atomic_writes": (148, "<B"),
    "rsvd149": (149, "<B"), "changed_nsids": (152, "<Q"),
    "changed_nsids_last": (184, "<Q"),
}


class State:
    """A saved state that can be read and changed by name."""

    def __init__(self, data):
        self.data = bytearray(data)
        self.ver, self.csattr = struct.unpack_from("<HB", data)
        nvme, _, vendor, _ = struct.unpack_from("<4Q", data, 16)
        self.nvme_len, self.vendor_len = nvme * 4, vendor * 4
        self.vendor_at = HEADER + self.nvme_len
        self.nsq = self.ncq = 0
        if self.nvme_len:
            self.nsq, self.ncq = struct.unpack_from("<HH", data, HEADER + 2)

    def vendor(self, name):
        offset, code = VENDOR[name]
        return struct.unpack_from(code, self.data, self.vendor_at + offset)[0]

    def sq_at(self, i):
        return HEADER + 8 + 24 * i

    def cq_at(self, i):
        return HEADER + 8 + 24 * (self.nsq + i)

    def sq(self, i):
        """prp1, qsize, qid, cqid, attributes, head, tail, reserved"""
        return struct.unpack_from("<Q6HI", self.data, self.sq_at(i))

    def cq(self, i):
        """prp1, qsize, qid, head, tail, attributes, reserved"""
        return struct.unpack_from("<Q4HII", self.data, self.cq_at(i))

    def aers(self):
        return struct.unpack_from(f"<{self.vendor('nr_aers')}H", self.data,
                                  self.vendor_at + VENDOR_FIXED)

    def events_at(self):
        return self.vendor_at + VENDOR_FIXED + \
            (self.vendor("nr_aers") * 2 + 3 & ~3)

    def cqes_at(self):
        return self.events_at() + 4 * self.vendor("max_events")

    def cqes(self):
        """list of sqid, cid, status, reserved, dw0, dw1"""
        return [struct.unpack_from("<4HII", self.data, self.cqes_at() + 16 * i)
                for i in range(self.vendor("nr_cqes"))]

    def pad_at(self):
        return self.cqes_at() + 16 * self.vendor("nr_cqes")

    def but(self, offset, code, value):
        """The bytes with one field changed."""
        data = bytearray(self.data)
        struct.pack_into(code, data, offset, value)
        return bytes(data)

    def but_vendor(self, name, value):
        offset, code = VENDOR[name]
        return self.but(self.vendor_at + offset, code, value)
