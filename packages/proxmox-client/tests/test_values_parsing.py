"""PVE's small values: what is formatted parses back, what is wrong is refused."""

from __future__ import annotations

import hashlib
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxmox_client import ApiToken, Fingerprint, PropertyString, Upid, Volid
from proxmox_client.values import check_vmid, split_family
from proxmox_client.values.families import family_members, group_families, join_family

SECRET = "0b7c6f6e-1111-2222-3333-444455556666"

node_names = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?", fullmatch=True)
words = st.from_regex(r"[A-Za-z0-9_.@!+-]{1,30}", fullmatch=True)
upids = st.builds(
    Upid,
    node=node_names,
    pid=st.integers(0, 0xFFFFFFFF),
    pstart=st.integers(0, 0xFFFFFFFFF),
    starttime=st.integers(0, 0xFFFFFFFF),
    type=words,
    id=st.one_of(st.just(""), words),
    user=words,
)
keys = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,15}", fullmatch=True)
texts = st.text(
    st.characters(exclude_characters=",", exclude_categories=["Cs", "Cc", "Z"]), max_size=30
)


class TestUpid:
    @given(upids)
    def test_parses_what_it_formats(self, upid: Upid) -> None:
        assert Upid.parse(str(upid)) == upid
        assert hash(Upid.parse(str(upid))) == hash(upid)

    def test_reads_a_recorded_one(self) -> None:
        text = "UPID:pve1:0000252F:0006D64E:6B03000E:qmrestore:211:root@pam!test:"
        upid = Upid.parse(text)
        assert (upid.node, upid.type, upid.id, upid.user) == (
            "pve1",
            "qmrestore",
            "211",
            "root@pam!test",
        )
        assert upid.starttime == 0x6B03000E
        assert str(upid) == text

    def test_id_may_be_empty_and_the_last_colon_missing(self) -> None:
        text = "UPID:pve1:0000252F:1006D64E1:6B03000E:srvreload::root@pam"
        assert str(Upid.parse(text)) == f"{text}:"
        assert Upid.parse(text).id == ""

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "OK",
            "UPID:pve1:1:2:3:qmstart:100:root@pam:",
            "UPID:pve1:0000252F:0006D64E:6B03000E:qmstart:100:",
            "UPID:../x:0000252F:0006D64E:6B03000E:qmstart:100:root@pam:",
            "UPID:pve1:0000252F:0006D64E:6B03000E:qmstart:100:root@pam:\n",
        ],
    )
    def test_refuses_what_is_none(self, text: str) -> None:
        with pytest.raises(ValueError, match="not a UPID"):
            Upid.parse(text)


class TestVolid:
    @given(
        st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,15}[A-Za-z0-9]", fullmatch=True),
        st.text(min_size=1),
    )
    def test_parses_what_it_formats(self, storage: str, volume: str) -> None:
        volid = Volid(storage, volume)
        assert Volid.parse(str(volid)) == volid

    @pytest.mark.parametrize("text", ["", "local", "local:", ":iso/x", "1x:y", "/dev/sda"])
    def test_refuses_what_is_none(self, text: str) -> None:
        with pytest.raises(ValueError, match="not a volume id"):
            Volid.parse(text)


class TestApiToken:
    def test_secret_never_shows(self) -> None:
        token = ApiToken.parse(f"root@pam!test={SECRET}")
        assert SECRET not in repr(token)
        assert SECRET not in str(token)
        assert SECRET not in f"{token} {token!r}"
        assert str(token) == "root@pam!test=***"

    def test_header_holds_it(self) -> None:
        token = ApiToken.parse(f"PVEAPIToken=root@pam!test={SECRET}\n")
        assert token.authorization == f"PVEAPIToken=root@pam!test={SECRET}"

    def test_survives_pickling(self) -> None:
        token = ApiToken.parse(f"root@pam!test={SECRET}")
        assert pickle.loads(pickle.dumps(token)) == token

    @pytest.mark.parametrize(
        "text", ["", SECRET, f"root!test={SECRET}", f"root@pam={SECRET}", "root@pam!test", "a@b!c="]
    )
    def test_refuses_what_is_none_without_repeating_it(self, text: str) -> None:
        with pytest.raises(ValueError, match="not an API token") as caught:
            ApiToken.parse(text)
        assert SECRET not in str(caught.value)


class TestFingerprint:
    @given(st.binary())
    def test_of_a_certificate(self, certificate: bytes) -> None:
        fingerprint = Fingerprint.of(certificate)
        digest = hashlib.sha256(certificate).hexdigest()
        assert str(fingerprint).replace(":", "").lower() == digest
        assert Fingerprint.parse(digest) == Fingerprint.parse(str(fingerprint)) == fingerprint

    @pytest.mark.parametrize("text", ["", "AB:CD", "zz" * 32, "ab" * 33])
    def test_refuses_what_is_none(self, text: str) -> None:
        with pytest.raises(ValueError, match="not a SHA-256 fingerprint"):
            Fingerprint.parse(text)


class TestVmid:
    @given(st.integers(100, 999_999_999))
    def test_accepts_pves_range(self, number: int) -> None:
        assert check_vmid(number) == check_vmid(str(number)) == number

    @pytest.mark.parametrize("value", [99, 0, -5, 1_000_000_000, "abc", "0100", "1e3", "", "١٠٠"])
    def test_refuses_the_rest(self, value: int | str) -> None:
        with pytest.raises(ValueError, match="vmid"):
            check_vmid(value)


class TestPropertyString:
    @given(st.dictionaries(keys, texts), st.one_of(st.none(), keys))
    def test_parses_what_it_formats(self, values: dict[str, str], default: str | None) -> None:
        made = PropertyString(values, default_key=default)
        read = PropertyString.parse(made.format(), default_key=default)
        assert read == made
        assert list(read) == list(made)
        assert hash(read) == hash(made)

    def test_keeps_order_and_unknown_keys(self) -> None:
        text = "virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1,novelty=x"
        read = PropertyString.parse(text)
        assert dict(read)["novelty"] == "x"
        assert read.format() == text

    def test_default_key_takes_the_bare_value(self) -> None:
        read = PropertyString.parse("local-lvm:vm-100-disk-0,size=32G", default_key="file")
        assert read["file"] == "local-lvm:vm-100-disk-0"
        assert read == PropertyString.parse("size=32G,file=local-lvm:vm-100-disk-0")
        assert read.format() == "local-lvm:vm-100-disk-0,size=32G"

    def test_values_become_pves_text(self) -> None:
        made = PropertyString({"order": ["scsi0", "net0"], "on": True, "n": 4, "gone": None})
        assert made.format() == "order=scsi0;net0,on=1,n=4"

    def test_update_keeps_places_and_removes_with_none(self) -> None:
        base = PropertyString.parse("virtio=AA,bridge=vmbr0,tag=5")
        assert base.updated({"bridge": "vmbr1", "tag": None, "mtu": 1500}).format() == (
            "virtio=AA,bridge=vmbr1,mtu=1500"
        )
        assert base.format() == "virtio=AA,bridge=vmbr0,tag=5"

    @pytest.mark.parametrize("text", ["a=1,a=2", "bare", "a=1,bare"])
    def test_refuses_what_it_cannot_keep(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"twice|without key"):
            PropertyString.parse(text)

    @pytest.mark.parametrize("value", ["a,b", "a\nb", " a"])
    def test_refuses_what_the_grammar_cannot_carry(self, value: str) -> None:
        with pytest.raises(ValueError, match="cannot carry"):
            PropertyString({"key": value})

    @pytest.mark.parametrize("key", ["", "a=b", "a,b", " a"])
    def test_refuses_keys_that_are_none(self, key: str) -> None:
        with pytest.raises(ValueError, match="not a key"):
            PropertyString({key: "x"})


class TestFamilies:
    @given(st.from_regex(r"[a-z_]{1,10}", fullmatch=True), st.integers(0, 255))
    def test_splits_what_it_joins(self, stem: str, index: int) -> None:
        assert split_family(join_family(stem, index)) == (stem, index)

    @pytest.mark.parametrize("key", ["net", "net01", "0", "", "net0x", "a.b1"])
    def test_no_member_no_split(self, key: str) -> None:
        assert split_family(key) is None

    def test_members_in_order_of_index(self) -> None:
        config = {"net10": "c", "net2": "b", "name": "x", "net0": "a"}
        assert list(family_members(config, "net").items()) == [(0, "a"), (2, "b"), (10, "c")]

    def test_only_named_families_are_grouped(self) -> None:
        families, rest = group_families({"net0": 1, "smbios1": 2, "cores": 3}, ["net", "scsi"])
        assert families == {"net": {0: 1}, "scsi": {}}
        assert rest == {"smbios1": 2, "cores": 3}

    def test_negative_index_is_refused(self) -> None:
        with pytest.raises(ValueError, match="start at 0"):
            join_family("net", -1)
