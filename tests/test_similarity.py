import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from shared import shared_model
from torch import nn

from vizcore.capture import capture
from vizcore.drawing import matrix
from vizcore.drawing.matrix import matrix_picture
from vizcore.networks.folded import folded
from vizcore.networks.load import Layout
from vizcore.pictures.sets import drawn
from vizcore.studies import cka as similarity
from vizcore.studies.cka import Grams, How, Sums, compare, estimates, gram, grams


@pytest.fixture(scope="module")
def resnet():
    return shared_model("texture_resnet")


@pytest.fixture(scope="module")
def vit():
    return shared_model("texture_vit")


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def cka(x, y, estimator="unbiased", how=similarity.LINEAR) -> float:
    sums = Sums(estimator)
    sums.add(gram(x, how)[None], gram(y, how)[None])
    return sums.cka().item()


def by_hand(x, y) -> float:
    """Linear CKA with the estimator of Song et al. (2012), equation 5, in loops over the pictures."""

    def hsic(k, m):
        n = len(k)
        off = [(i, j) for i in range(n) for j in range(n) if i != j]
        trace = sum(k[i, j] * m[j, i] for i, j in off)
        sums = sum(k[i, j] for i, j in off) * sum(m[i, j] for i, j in off)
        path = sum(k[i, j] * m[j, q] for i, j in off for q in range(n) if q != j)
        return (trace + sums / ((n - 1) * (n - 2)) - 2 * path / (n - 2)) / (n * (n - 3))

    k, m = (features.double().numpy() @ features.double().numpy().T for features in (x, y))
    return hsic(k, m) / (hsic(k, k) * hsic(m, m)) ** 0.5


@pytest.mark.parametrize("how", [How(), How(kernel="rbf"), How(kernel="rbf", bandwidth=1.5)])
@pytest.mark.parametrize("estimator", similarity.ESTIMATORS)
def test_one_for_itself_and_blind_to_rotation_and_scale(how, estimator):
    x, y = normal(24, 12), normal(24, 30, seed=1)
    y[:, :12] += x
    turn = torch.linalg.qr(normal(12, 12, seed=2))[0]
    value = cka(x, y, estimator, how)
    assert cka(x, x, estimator, how) == pytest.approx(1, abs=1e-9)
    assert 0.05 < value < 0.95
    assert cka(30 * x @ turn, y, estimator, how) == pytest.approx(value, abs=1e-4)
    assert cka(x, 0.01 * y - 7, estimator, how) == pytest.approx(value, abs=1e-4)
    assert abs(cka(x @ torch.diag(torch.arange(12.0)), y, estimator, how) - value) > 1e-3  # no rotation


def test_equals_a_plain_double_loop_for_one_batch_and_for_several():
    x, y = normal(12, 7), normal(12, 9, seed=1)
    y[:, :4] += x[:, :4]
    assert cka(x, y) == pytest.approx(by_hand(x, y), abs=1e-6)
    sums, cross, own_x, own_y = Sums(), 0, 0, 0
    k, m = x.double() @ x.T.double(), y.double() @ y.T.double()
    for part in (slice(0, 5), slice(5, 12)):
        sums.add(gram(x[part])[None], gram(y[part])[None])
        a, b = (torch.nan_to_num(similarity.centred(g[part, part][None])[0]) for g in (k, m))
        n = part.stop - part.start
        cross, own_x, own_y = cross + n * a @ b, own_x + n * a @ a, own_y + n * b @ b
    assert sums.cka().item() == pytest.approx((cross / (own_x * own_y).sqrt()).item(), abs=1e-6)


def test_the_biased_estimator_is_the_textbooks():
    x, y = normal(10, 5).double(), normal(10, 6, seed=1).double()
    h = torch.eye(10, dtype=torch.float64) - 0.1
    k, m = h @ x @ x.T @ h, h @ y @ y.T @ h
    expected = (k * m).sum() / (k.norm() * m.norm())
    assert cka(x, y, "biased") == pytest.approx(expected.item(), abs=1e-6)


def noise_draws(n, width, count) -> list[float]:
    return [cka(normal(n, width, seed=2 * i), normal(n, width, seed=2 * i + 1)) for i in range(count)]


def test_independent_noise_gives_nought():
    assert abs(np.mean(noise_draws(64, 40, 200))) < 0.005
    assert np.abs(noise_draws(512, 1000, 5)).max() < 0.02
    assert (
        cka(normal(16, 500), normal(16, 500, seed=1), "biased") > 0.9
    )  # what the bias would have us believe


def test_noise_drawn_as_a_gram_matrix_is_distributed_as_noise():
    random = np.random.default_rng(0)
    for width in (3, 40):  # narrower and wider than the batch
        drawn_grams = torch.stack([similarity.noise_gram(8, width, random) for _ in range(3000)])
        real = torch.stack([x @ x.T for x in normal(3000, 8, width).double()])
        for moment in (1, 2):
            difference = (drawn_grams**moment).mean(0) - (real**moment).mean(0)
            assert difference.abs().max() < 0.15 * width**moment
            difference = (drawn_grams - width * torch.eye(8)).abs().mean(0) / width**0.5
            assert (difference - (real - width * torch.eye(8)).abs().mean(0) / width**0.5).abs().max() < 0.1


def test_minibatches_come_to_what_the_whole_comes_to():
    x = normal(1024, 20)
    y = torch.cat([x[:, :5], normal(1024, 10, seed=1)], 1)
    whole = cka(x[:, :5], y)
    errors = []
    for batches_of_32 in (2, 32):
        sums = Sums()
        for start in range(0, 32 * batches_of_32, 32):
            part = slice(start, start + 32)
            sums.add(gram(x[part, :5])[None], gram(y[part])[None])
        errors.append(abs(sums.cka().item() - whole))
    assert errors[1] < 0.01 and errors[1] < errors[0]


def test_features_with_a_large_mean_do_not_cancel():
    x, y = normal(32, 300), normal(32, 300, seed=1)
    y[:, :100] += x[:, :100]
    shifted = x + 3000  # in single precision its products have no digit left
    exact = cka((shifted.double() - 3000).float(), y)
    assert cka(shifted, y) == pytest.approx(exact, abs=1e-4)
    products = shifted @ shifted.T
    naive = Sums()
    naive.add(products.double()[None], gram(y)[None])
    assert abs(naive.cka().item() - exact) > 1e-3


def test_layers_that_never_vary_are_undefined_and_no_others(resnet):
    constant = torch.full((8, 5), 0.1) * torch.tensor([1, 2, 3, 4e4, 5])
    values = torch.stack([gram(normal(8, 5)), gram(constant), gram(normal(8, 5) * 1e-20)])
    for estimator in similarity.ESTIMATORS:
        sums = Sums(estimator)
        sums.add(values, values)
        assert np.isnan(sums.cka()[1]).all() and np.isnan(sums.cka()[:, 1]).all()
        assert np.isfinite(sums.cka()[::2, ::2]).all()
    fresh = shared_model("resnet18", "random")  # timm begins with the last norms at nought
    found = grams(fresh.net, normal(6, 3, 64, 64), ["layer1.0.bn2", "layer1.0", "layer1.0.bn1"])
    assert found.values.flatten(1).any(1).tolist() == [False, True, True]
    cells = np.array([[0.1, np.nan, 0.3], [np.nan] * 3, [0.9, np.nan, -1]])
    assert similarity.best_matches(cells).tolist() == [2, -1, 0]


def test_every_pair_of_layers_agrees_with_torch_ckas_formula(resnet, vit):
    from torch_cka import CKA

    peer = CKA.__new__(CKA)  # its formula; the class itself keeps outputs that later layers overwrite
    peer.device = "cpu"

    def theirs(x, y):
        k, m = (features.flatten(1) @ features.flatten(1).T for features in (x, y))
        k.fill_diagonal_(0), m.fill_diagonal_(0)
        return peer._HSIC(k, m) / (peer._HSIC(k, k) * peer._HSIC(m, m)) ** 0.5

    images = torch.cat([resnet.preprocess(image) for image in drawn(16)])
    layers_a, layers_b = resnet.layers[::3], vit.layers[::4]
    a, b = (capture(m.net, images, names).layers for m, names in ((resnet, layers_a), (vit, layers_b)))
    (found,) = compare(resnet, vit, drawn(16), layers_a, layers_b)
    expected = [[theirs(x, y) for y in b.values()] for x in a.values()]
    assert np.abs(found.cka["unbiased"] - np.array(expected)).max() < 1e-3


def test_any_modules_of_any_network_and_only_its_own_output():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4 * 36, 5))
    images = normal(10, 3, 8, 8)
    names = ["0", "1", "", "3"]
    found = grams(net, images, names)
    before = net[0](images)
    assert found.widths == [144, 144, 5, 5]
    assert torch.allclose(found.values[0], gram(before.flatten(1)))  # not what the ReLU made of it
    assert torch.equal(found.values[2], found.values[3])
    net.append(nn.GRU(5, 2))
    with pytest.raises(TypeError, match="4 puts out a tuple, not one tensor"):
        grams(net, images, ["4"])


def test_gram_in_pieces_and_pooled_features(monkeypatch):
    x = normal(6, 1000)
    whole = gram(x)
    monkeypatch.setattr(similarity, "PIECE", 7)
    assert torch.allclose(gram(x), whole, atol=1e-3)
    maps = normal(6, 4, 3, 3)
    pooled = similarity.features(maps, Layout("NCHW", 4, (3, 3)), True)
    assert torch.equal(pooled, maps.mean((2, 3)))
    last = similarity.features(maps.permute(0, 2, 3, 1), Layout("NHWC", 4, (3, 3)), True)
    assert torch.allclose(last, pooled)
    tokens = torch.cat([normal(6, 1, 4) * 99, maps.flatten(2).mT], 1)
    assert torch.allclose(similarity.features(tokens, Layout("tokens", 4, (3, 3), 1), True), pooled)
    assert similarity.features(maps).shape == (6, 36)


def test_batches_never_leave_fewer_than_four():
    for count in range(4, 40):
        sizes = [len(batch) for batch in similarity.batches(range(count), 8)]
        assert sum(sizes) == count and min(sizes) >= 4 and max(sizes) <= 11
    assert list(similarity.batches([1, 2], 8)) == [[1, 2]] and list(similarity.batches([], 8)) == []


@pytest.mark.long
def test_estimates_sharpen_and_say_how_many_pictures(resnet, vit):
    steps = list(compare(resnet, vit, drawn(42), how=How(pooled=True), batch=8))
    assert [step.done for step in steps] == [8, 16, 24, 32, 42] and steps[0].total == 42
    for step in steps:
        assert (
            step.cka["unbiased"].shape == (len(resnet.blocks), len(vit.blocks)) == step.noise["biased"].shape
        )
    noise = [np.abs(step.noise["unbiased"]).mean() for step in steps]
    assert noise[-1] < noise[0]
    (own,) = compare(vit, vit, drawn(8), batch=8)
    assert np.allclose(np.diag(own.cka["unbiased"]), 1) and np.allclose(own.cka["biased"].diagonal(), 1)
    assert np.abs(np.diag(own.noise["unbiased"])).max() < 0.9  # noise is never compared with itself


@pytest.mark.parametrize(("count", "batch"), [(3, 32), (40, 3), (0, 8)])
def test_too_few_pictures_are_refused(resnet, count, batch):
    with pytest.raises(ValueError, match="needs at least 4 pictures"):
        next(compare(resnet, resnet, drawn(count), batch=batch))
    with pytest.raises(ValueError, match="there is no kernel 'cosine'; there are linear, rbf"):
        gram(normal(4, 4), How(kernel="cosine"))
    with pytest.raises(ValueError, match="at least 4 pictures in a batch, not 3"):
        next(estimates([(Grams(torch.eye(3)[None], [3]),) * 2], 3))


def hooks(net) -> int:
    return sum(
        len(v) for m in net.modules() for k, v in vars(m).items() if "hooks" in k and isinstance(v, dict)
    )


def test_a_run_that_is_stopped_leaves_nothing_behind(resnet):
    steps = compare(resnet, resnet, drawn(64), batch=8)
    assert next(steps).done == 8
    steps.close()
    assert hooks(resnet.net) == 0


def test_a_reduced_layer_is_freed_at_once(resnet):
    outputs, alive = [], []

    def reduce(name, output):
        outputs.append(weakref.ref(output))
        alive.append(sum(one() is not None for one in outputs))
        return name

    kept = capture(resnet.net, normal(2, 3, 128, 128), resnet.layers, reduce=reduce).layers
    assert list(kept) == list(kept.values()) == resnet.layers
    assert max(alive) < len(alive) / 4  # what a residual block still needs, not all of them


@pytest.mark.long
def test_eight_threads_on_shared_networks_get_the_same_figures(resnet, vit):
    pictures = list(drawn(8))

    def work(results, i):
        a, b = (resnet, vit) if i % 2 else (vit, resnet)
        *_, results[i] = compare(a, b, pictures, batch=8)

    alone, together = [None] * 8, [None] * 8
    for i in range(8):
        work(alone, i)
    threads = [threading.Thread(target=work, args=(together, i)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together, strict=True):
        assert np.allclose(one.cka["unbiased"], other.cka["unbiased"], atol=1e-6)
        assert np.array_equal(one.noise["unbiased"], other.noise["unbiased"])
    assert hooks(resnet.net) == hooks(vit.net) == 0


def test_the_picture_of_a_matrix_has_the_input_at_the_lower_left_and_undefined_cells_grey():
    values = np.zeros((3, 20))  # too many for numbers in the cells
    values[0, 19], values[2, 0] = 1, np.nan
    picture = matrix_picture(values, ["first", "b", "last"], [f"c{i}" for i in range(20)], "T", ("A", "B"))
    yellow = np.argwhere((picture[:160] == (253, 231, 37)).all(-1))  # above the legend
    (top, left), (bottom, right) = yellow.min(0), yellow.max(0)
    assert len(yellow) == 30 * 30 == (bottom - top + 1) * (right - left + 1)
    assert (picture[top - 60 : top - 30, left - 570 : left - 540] == 214).all()  # two up, 19 to the left
    dark = picture[top - 60 : bottom + 1, left - 570 : right + 1] == (68, 1, 84)
    assert dark.all(-1).sum() == 58 * 900
    assert matrix.thinned([str(i) for i in range(100)], 40) == [str(i) for i in range(0, 100, 3)]


def test_a_network_without_recognised_blocks_is_compared_by_its_layers():
    model = replace(shared_model("texture_vit", "random"), blocks=[])
    *_, last = compare(model, model, drawn(4, size=64), batch=4)
    assert last.cka["unbiased"].shape == (len(model.layers),) * 2


def test_modules_that_hand_on_a_tensor_share_its_matrix_and_changed_ones_do_not(monkeypatch):
    """Identity hands on its input; ReLU in place changes it; the container's output is its last module's."""
    made = []
    monkeypatch.setattr(similarity, "gram", lambda rows, how: made.append(rows.clone()) or gram(rows, how))
    net = torch.nn.Sequential(torch.nn.Identity(), torch.nn.ReLU(inplace=True), torch.nn.Identity())
    images = torch.randn(6, 3, 4, 4)
    found = grams(net, images.clone(), ["0", "1", "2"]).values
    assert len(made) == 2 and torch.equal(found[1], found[2])
    for one, rows in ((found[0], images), (found[1], images.relu())):
        assert torch.allclose(one, gram(rows.flatten(1)))


@pytest.mark.parametrize("layers", [["layer1", "fc"], ["conv1", "bn1", "layer2.0.conv2"]])
def test_norms_inside_convolutions_leave_every_figure(resnet, layers, monkeypatch):
    """Those that are compared themselves stay as they are, and so do the convolutions before them."""
    pictures = [drawn(8)[k] for k in range(8)]
    seen = []
    monkeypatch.setattr(similarity, "folded", lambda *asked: seen.append(folded(*asked)) or seen[-1])
    *_, found = compare(resnet, resnet, pictures, layers, layers, batch=8)
    assert len(seen) == 1 and seen[0] is not resnet.net
    for name in layers:
        assert type(seen[0].get_submodule(name)) is type(resnet.net.get_submodule(name))
    monkeypatch.setattr(similarity, "folded", lambda net, *_: net)
    *_, plain = compare(resnet, resnet, pictures, layers, layers, batch=8)
    assert np.allclose(found.cka["unbiased"], plain.cka["unbiased"], atol=1e-5)
