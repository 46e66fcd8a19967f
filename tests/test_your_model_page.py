"""A network or pictures brought on the page: recognised, used on every page, in one session alone."""

import json

import pytest
import torch
from safetensors.torch import save
from shared import shared_model
from test_hostile import CODE, code
from test_probe import WRONG, classes, drawn, pack, png

from benchmarks.whole_app import all_maps
from ui import brought
from vizcore.studies import probe_files

PAGE = "pages/your_model.py"
BOTH = {"picture": "Honeycomb in bands", "a": "texture_resnet", "b": "texture_vit"}


def said(at) -> str:
    assert not at.exception
    return " ".join(one.value for kind in (at.success, at.error, at.warning, at.markdown) for one in kind)


def state_of(name: str) -> dict[str, torch.Tensor]:
    return {key: value.contiguous() for key, value in shared_model(name).net.state_dict().items()}


def sent(at, key: str, name: str, data: bytes, media: str = "application/octet-stream"):
    return at.file_uploader(key=key).set_value((name, data, media)).run()


def test_a_checkpoint_is_recognised_and_used_on_every_page_of_this_session_alone(app):
    at = app(PAGE, **BOTH)
    labels = [f"kind {k}" for k in range(20)]
    data = save(state_of("texture_vit"), {"labels": json.dumps(labels)})
    sent(at, "y_checkpoint", "mine.safetensors", data)
    words = said(at)
    assert "It works: 20 classes, feature maps, Grad-CAM, saliency, rollout, relevance." in words
    assert "Your Texture ViT" in words and "kind 0, kind 1" in words and "128 × 128 pixels" in words
    at.button(key="y_use_a").click().run()
    name = at.session_state["a"]
    assert brought.is_brought(name) and at.query_params["a"] == name
    assert at.selectbox(key="a").options[at.selectbox(key="a").index] == "Your Texture ViT · yours"
    at.switch_page("pages/grad_cam.py").run()
    first = at.selectbox(key="g_class").options[:4]  # what the other network knows to be there, then its own
    assert not at.error and "kind" in first[3], first
    at.switch_page(PAGE).run()
    at.button(key=f"y_out_{name}").click().run()
    assert not brought.is_brought(at.session_state["a"]) and not at.error and not at.exception


def used(at, data: bytes):
    """A checkpoint in use as Model A."""
    sent(at, "y_checkpoint", "mine.safetensors", data)
    return at.button(key="y_use_a").click().run()


def test_of_a_network_of_somebodys_own_nobody_knows_what_it_learnt_from(app):
    state = state_of("texture_resnet")
    state |= {key: state[key][:2].clone() for key in ("fc.weight", "fc.bias")}
    at = used(app(PAGE, **BOTH), save(state, {"labels": json.dumps(["banded", "cracked"])}))
    for page in ("home", "grad_cam"):
        at.switch_page(f"pages/{page}.py").run()
        at.selectbox(key="picture").set_value("A rocket").run()
        words = " ".join(one.value for one in (*at.markdown, *at.caption))
        assert not at.exception and "learnt only" not in words
        maps = [one for one in all_maps(at) if one["key"].endswith("_a")]
        assert [one["name"] for one in maps if one["name"] == one["chosen"]], "it is asked all the same"


def test_classes_without_names_get_none(app):
    state = state_of("texture_resnet")
    words = said(sent(app(PAGE, **BOTH), "y_checkpoint", "mine.safetensors", save(state)))
    assert "20 classes" in words and "class 0, class 1" in words and "banded" not in words
    few = state | {key: state[key][:3].clone() for key in ("fc.weight", "fc.bias")}
    words = said(sent(app(PAGE, **BOTH), "y_checkpoint", "mine.safetensors", save(few)))
    assert "It works: 3 classes" in words


def test_answers_are_called_as_they_can_be_asked_for(app):
    data = save(state_of("texture_resnet"), {"labels": json.dumps(["cat"] * 20)})
    at = sent(app(PAGE, **BOTH), "y_checkpoint", "mine.safetensors", data)
    assert "cat (0), cat (1)" in said(at)
    assert "<span>cat (12)</span>" in "".join(one.proto.body for one in at.get("html"))


def test_of_two_names_for_a_single_score_the_second_is_what_it_speaks_for(app):
    state = state_of("texture_resnet")
    state |= {key: state[key][:1].clone() for key in ("fc.weight", "fc.bias")}
    at = app(PAGE, **BOTH)
    sent(at, "y_labels", "names.txt", b"no cat\ncat\n", "text/plain")
    words = said(sent(at, "y_checkpoint", "mine.safetensors", save(state)))
    assert "It works: 1 class," in words and "**Classes**: cat" in words
    sent(at, "y_labels", "names.txt", b"a\nb\nc\n", "text/plain")
    assert "There are 3 labels, but the network has 1 class." in said(at)


def test_a_link_to_somebody_elses_network_is_one_sentence(app):
    at = app("pages/grad_cam.py", **(BOTH | {"a": "yours-0123456789abcdef"}))
    assert len(at.error) == 1 and "brought in another session" in at.error[0].value and not at.exception
    at.button(key="ready_a").click().run()
    assert not at.error and not at.exception


def test_preprocessing_can_be_changed_and_put_back(app):
    at = app(PAGE, **BOTH)
    at.button(key="y_try").click().run()
    assert "128 × 128 pixels" in said(at)
    rows, columns = (
        next(one for one in at.number_input if one.label == label) for label in ("Rows", "Columns")
    )
    rows.set_value(96), columns.set_value(64)
    mean = next(one for one in at.text_input if one.label.startswith("Mean"))
    mean.set_value("0.4, 0.4")
    apply = next(one for one in at.button if one.label == "Apply")
    apply.click().run()
    assert "Three numbers are expected" in said(at)
    next(one for one in at.text_input if one.label.startswith("Mean")).set_value("0.4, 0.5, 0.6")
    next(one for one in at.button if one.label == "Apply").click().run()
    assert "96 × 64 pixels" in said(at)


@pytest.mark.parametrize("kind", CODE[:3])
def test_code_in_what_is_sent_does_not_run_and_nothing_is_lost(app, tmp_path, kind):
    at, place = app(PAGE, **BOTH), tmp_path / "made"
    sent(at, "y_checkpoint", "mine.pt", code(place, kind))
    assert len(at.error) == 1 and not place.exists() and "It works" not in said(at)
    assert [choice.name for choice in at.session_state["chosen"][1:]] == ["texture_resnet", "texture_vit"]


def test_weights_of_no_known_architecture_are_one_sentence(app):
    at = app(PAGE, **BOTH)
    sent(at, "y_checkpoint", "mine.safetensors", save({"a.weight": torch.ones(3, 3)}))
    assert "fit none of the" in at.error[0].value
    at.selectbox(key="y_arch").set_value("resnet18").run()
    assert "doesn't fit ResNet-18" in at.error[0].value and len(at.error) == 1


def test_networks_of_a_session_are_bounded(app, monkeypatch):
    monkeypatch.setenv("SIGHTLINES_SESSION_UPLOAD_MB", "13")
    at = app(PAGE, **BOTH)
    at.button(key="y_try").click().run()
    at.button(key="y_use_a").click().run()
    assert brought.is_brought(at.session_state["a"])
    sent(at, "y_checkpoint", "more.safetensors", save(state_of("texture_vit")))
    at.button(key="y_use_b").click().run()
    assert any("larger than 13 MB together" in one.value for one in at.error)
    assert at.session_state["b"] == "texture_vit"


# ---------------------------------------------------------------- pictures


def test_folders_of_pictures_become_classes_of_every_page(app):
    kinds = "banded", "cracked", "woven"
    data = pack({f"{kind}/{seed}.png": png(drawn(kind, seed)) for kind in kinds for seed in range(4)})
    at = app(PAGE, y_way="Pictures", **BOTH)
    sent(at, "y_pictures", "mine.zip", data, "application/zip")
    assert "12 pictures of 3 classes: banded, cracked, woven" in said(at)
    at.button(key="y_probe_button").click().run()
    words = said(at)
    assert "It works: 3 classes" in words and "95 % interval" in words and "4 folds" in words
    file = at.session_state["y_file"][1]
    assert probe_files.from_file(file).labels == list(kinds)
    at.button(key="y_use_b").click().run()
    at.switch_page("pages/saliency.py").run()
    assert not at.exception and not at.error
    assert at.session_state["chosen"][2].name == at.session_state["b"]
    back = app(PAGE, **BOTH)
    sent(back, "y_checkpoint", "sightlines-probe.safetensors", file)
    assert "It works: 3 classes" in said(back)
    other = app(PAGE, **(BOTH | {"a": "photo_vit"}))
    sent(other, "y_checkpoint", "probe.safetensors", file.replace(b"texture_resnet", b"texture_resnot"))
    assert "texture_resnot" in other.error[0].value


@pytest.mark.parametrize("name", ["one class", "eleven", "out of it", "no zip", "one picture a class"])
def test_a_zip_that_is_no_set_of_classes_changes_nothing(app, name):
    members, words = WRONG[name]
    at = app(PAGE, y_way="Pictures", **BOTH)
    sent(at, "y_pictures", "mine.zip", members if isinstance(members, bytes) else pack(members))
    assert len(at.error) == 1 and not at.exception
    assert not any(one.key == "y_probe_button" for one in at.button)


def test_pictures_that_cannot_be_read_end_the_run_in_a_sentence(app):
    at = app(PAGE, y_way="Pictures", **BOTH)
    sent(at, "y_pictures", "mine.zip", pack(classes("a") | {"b/0.png": b"no", "b/1.png": b"nor this"}))
    at.button(key="y_probe_button").click().run()
    assert len(at.error) == 1 and "'b' has no picture that can be read" in at.error[0].value


def test_a_zip_that_is_no_folder_of_hugging_face_is_one_sentence(app):
    at = app(PAGE, y_way="Hugging Face", **BOTH)
    sent(at, "y_folder", "mine.zip", pack({"config.json": b"{}", "pytorch_model.bin": b"x"}))
    assert len(at.error) == 1 and "can run somebody's code" in at.error[0].value
    assert not any(one.key == "y_path" for one in at.text_input)
