"""Sightlines' visualisation methods: tensors in, tensors out, and no web framework anywhere.

A picture whose answer is known, a network that comes with the package, and where it looks:

>>> from PIL import Image
>>> from vizcore import cam, heatmaps, models, textures
>>> scene = textures.two("spiralled", "banded", seed=3, size=384)
>>> image = Image.fromarray(scene.picture)
>>> model = models.load_model("texture_vit", device="cpu")
>>> x = model.preprocess(image)  # (1, 3, 128, 128)
>>> answer = int(model.net(x).argmax())
>>> model.label(answer)
'spiralled'
>>> heat = cam.cam(model, x, answer)  # on the layer's own grid
>>> heat.shape
torch.Size([8, 8])
>>> framed = heatmaps.in_frame(model, image, heat)  # in the picture's pixels
>>> bool(scene.masks["spiralled"].flat[int(framed.argmax())])  # its maximum lies on the spiral
True
"""

__version__ = "0.1.0"
