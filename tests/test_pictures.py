import hashlib
import io
import stat
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from vizcore.pictures import cifar
from vizcore.pictures import sets as pictures
from vizcore.pictures.images import PictureError
from vizcore.pictures.sets import cifar100, drawn, folder, read_files


def encode(size=(40, 30), colour="red", format="PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, format)
    return buffer.getvalue()


def pack(members: dict, kind=zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def refused(data: bytes, says: str) -> None:
    with pytest.raises(PictureError, match=says) as error:
        read_files([("them.zip", data)])
    assert "\n" not in str(error.value) and len(str(error.value)) < 200


def test_several_files_and_a_zip_with_folders_become_small_pictures():
    jpeg = encode((2000, 1000), "blue", "JPEG")
    members = {"cats/1.png": encode(), "cats/2.JPG": jpeg, "notes.txt": "hello", "__MACOSX/cats/._1.png": "x"}
    found, left_out = read_files([("a.zip", pack(members)), ("b.webp", encode(format="WEBP"))])
    assert [picture.size for picture in found] == [(40, 30), (384, 192), (40, 30)] and left_out == []


def test_a_damaged_picture_is_left_out_by_name():
    found, left_out = read_files([("a.zip", pack({"good.png": encode(), "bad.png": b"no"})), ("c.png", b"")])
    assert len(found) == 1
    assert [line.split(":")[0] for line in left_out] == ["bad.png", "c.png"]
    with pytest.raises(PictureError, match="c.png: The file is empty"):
        read_files([("c.png", b"")])


@pytest.mark.parametrize("name", ["../up.png", "a/../../up.png", "/etc/up.png", "..\\up.png", "C:\\up.png"])
def test_a_path_that_climbs_out_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(pack({"fine.png": encode(), name: encode()}), "leads out of it")
    assert not list(tmp_path.rglob("*"))


def test_bombs_are_refused_before_they_fill_the_memory(monkeypatch):
    noise = np.random.default_rng(0).bytes(3_000_000)
    refused(pack({"a.png": bytes(30_000_000)}), "unpacks to far more")
    refused(pack({"a.png": noise * 10}, zipfile.ZIP_STORED), "unpacks to far more")  # by its size alone
    monkeypatch.setattr(pictures, "TOTAL_MB", 5)
    refused(pack({"a.png": noise, "b.png": noise}, zipfile.ZIP_STORED), "unpacks to more than 5 MB")


def test_a_zip_whose_table_lies_about_sizes_is_no_way_round():
    data = bytearray(pack({"a.png": bytes(30_000_000)}))
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.find(signature)
        data[start + place : start + place + 4] = struct.pack("<L", 100)
    refused(bytes(data), "damaged|far more")


def test_too_many_files_are_refused_without_reading_their_names(monkeypatch):
    refused(pack({f"{i}.png": b"" for i in range(pictures.MOST + 1)}), "holds 257 pictures; at most 256")
    monkeypatch.setattr(pictures, "DIRECTORY_BYTES", 10_000)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    names = "".join(f"{i:0250}" for i in range(50)).encode()
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 50, 50, len(names), 0, 0)
    refused(names + end, "too many files")
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 20_000, 0)  # zip64
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 9, 0, 0)
    refused(large + locator + end, "too many")


def test_links_zips_within_passwords_and_odd_packing_are_refused():
    link = zipfile.ZipInfo("link.png")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    refused(buffer.getvalue(), "holds a link")
    refused(pack({"more.zip": pack({"a.png": encode()})}), "holds another zip")
    refused(pack({"a.png": encode()}, zipfile.ZIP_LZMA), "unusual way")
    locked = bytearray(pack({"a.png": encode()}))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.find(signature) + place] |= 1
    refused(bytes(locked), "encrypted")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", encode(), pack({"a.png": encode()})[:-30]])
def test_what_is_no_zip_is_refused(data):
    refused(data, "damaged, cut short, or not a zip")


def test_a_zip_without_a_picture_is_refused():
    refused(pack({"readme.txt": "hello", "run.exe": b"MZ"}), "holds no picture")
    refused(pack({}), "holds no picture|damaged")
    refused(pack({"a.png": b"MZ, not a picture"}), "can't be read as a picture")


def test_damaged_zips_end_in_pictures_or_a_sentence():
    whole = pack({"a.png": encode(), "b/c.png": encode((60, 60))})
    random = np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(whole)
        for place in random.integers(0, len(data), 3):
            data[place] = random.integers(256)
        try:
            found, _ = read_files([("them.zip", bytes(data))])
        except PictureError:
            continue
        assert found


def test_drawn_pictures_are_all_classes_in_turn_and_the_same_every_time():
    twenty = list(drawn(20, size=32))
    again = drawn(400, size=32)
    assert len(again) == 400
    assert all(np.array_equal(a, again[i]) for i, a in enumerate(twenty))
    assert len({picture.tobytes() for picture in twenty}) == 20
    assert not np.array_equal(drawn(1, seed=1, size=32)[0], twenty[0])
    with pytest.raises(IndexError):
        again[400]


def test_a_folder_in_imagefolder_layout(tmp_path):
    for number in range(6):
        place = tmp_path / f"class{number % 2}"
        place.mkdir(exist_ok=True)
        (place / f"{number}.png").write_bytes(encode((40 + number, 40)))
    (tmp_path / "class0" / "notes.txt").write_text("no picture")
    found = folder(tmp_path, 4)
    assert len(found) == 4 and len({picture.size for picture in found}) == 4
    assert sorted(picture.width for picture in folder(tmp_path, 99)) == [*range(40, 46)]
    (tmp_path / "class1" / "1.png").write_bytes(b"damaged")
    with pytest.raises(PictureError, match="1.png: This file can't be read"):
        list(folder(tmp_path, 99))
    with pytest.raises(PictureError, match="no folders with pictures"):
        folder(tmp_path / "class0", 4)
    with pytest.raises(PictureError, match="There is no folder"):
        folder(tmp_path / "nowhere", 4)


def test_cifar_that_cannot_be_had_says_so_and_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_args, **_options):
        raise OSError("no route to host")

    monkeypatch.setattr(cifar, "urlopen", fail)
    with pytest.raises(PictureError, match="CIFAR-100 can't be downloaded .no route to host.*textures"):
        cifar100(8, root=tmp_path)
    assert list(tmp_path.iterdir()) == []
    served = io.BytesIO(b"<html>log in to this network</html>")
    monkeypatch.setattr(cifar, "urlopen", lambda *_args, **_options: served)
    with pytest.raises(PictureError, match="can't be downloaded .what came is something else"):
        cifar100(8, root=tmp_path)
    monkeypatch.setattr(cifar, "DOWNLOAD_SECONDS", -1)
    monkeypatch.setattr(cifar, "urlopen", lambda *_args, **_options: io.BytesIO(b"slow"))
    with pytest.raises(PictureError, match="takes longer"):
        cifar100(8, root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def cifar_packed(count=12, **files):
    """A small copy in the layout of the real one, packed."""
    records = np.random.default_rng(0).integers(0, 256, (count, cifar.RECORD), np.uint8)
    records[:, 1] = np.arange(count) % 6
    names = "\n".join(f"kind{k}" for k in range(6)).encode()
    content = {cifar.NAMES: names, **{one: records.tobytes() for one in cifar.FILES.values()}, **files}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(f"{cifar.FOLDER}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue(), records


def served(monkeypatch, data):
    monkeypatch.setattr(cifar, "MD5", hashlib.md5(data).hexdigest())
    monkeypatch.setattr(cifar, "urlopen", lambda *_args, **_options: io.BytesIO(data))


def test_cifar_is_unpacked_whole_and_read_mixed(tmp_path, monkeypatch):
    data, records = cifar_packed()
    served(monkeypatch, data)
    found = cifar100(9, root=tmp_path)
    assert len(found) == 9 and found[0].size == (32, 32) and found[0].mode == "RGB"
    assert [path.name for path in tmp_path.iterdir()] == [cifar.FOLDER]
    monkeypatch.setattr(cifar, "urlopen", None)  # not asked again
    assert np.array_equal(cifar100(9, root=tmp_path)[3], found[3])
    half = cifar.cifar(tmp_path / cifar.FOLDER, "train")
    pixels = np.asarray(half.picture(5))
    assert half.kind(5) == "kind5" and pixels[3, 7].tolist() == [
        records[5, 2 + c * 1024 + 3 * 32 + 7] for c in range(3)
    ]


@pytest.mark.parametrize(
    "files", [{"test.bin": b"x" * 100}, {"test.bin": b""}, {"fine_label_names.txt": b"one"}]
)
def test_a_copy_of_cifar_that_is_damaged_is_one_sentence(tmp_path, monkeypatch, files):
    served(monkeypatch, cifar_packed(**files)[0])
    with pytest.raises(PictureError, match="test.bin of cifar-100-binary is damaged"):
        cifar100(8, root=tmp_path)
