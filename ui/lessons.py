"""The lessons, as data: a step is a page, the state of its widgets, and a question. ``guide`` shows them."""

from __future__ import annotations

from typing import Any, NamedTuple


class Step(NamedTuple):
    page: str
    values: dict[str, Any]  # of widgets, by key; on top of the lesson's own
    do: str
    watch: str
    question: str
    answer: str


class Lesson(NamedTuple):
    title: str
    about: str
    minutes: int
    values: dict[str, Any]  # of widgets in every step
    steps: list[Step]


FEATURES, ROLLOUT, CAM = (f"pages/{name}.py" for name in ("feature_maps", "attention_rollout", "grad_cam"))
IMAGINE, SIMILARITY = (f"pages/{name}.py" for name in ("activation_maximization", "similarity"))
PAIR = {
    "picture": "Honeycomb in bands",
    "a": "texture_resnet",
    "b": "texture_vit",
    "weights_a": "trained",
    "weights_b": "trained",
}
MAPS = {"g_method_a": "Grad-CAM", "g_method_b": "Grad-CAM", "g_region": True, "g_over": "both"}
FLOWS = {"r_query": "the answer", "r_residual": 50, "r_discard": 0, "r_fusion": "mean", "r_prefix": True}
COMPARED = {
    "k_data": "Drawn textures",
    "k_n": 64,
    "k_seed": 0,
    "k_layers": "blocks",
    "k_features": "all values",
    "k_kernel": "linear",
    "k_control": False,
    "k_biased": False,
}
CAT = {
    "picture": "Chelsea the cat",
    "a": "efficientnet_lite0",
    "b": "efficientnet_lite0",
    "weights_a": "trained",
    "weights_b": "random",
    "seed_b": 0,
}
LESSONS: dict[str, Lesson] = {
    "truth": Lesson(
        "Is the heatmap telling the truth?",
        "A heatmap always looks like an explanation. Put it to the test: a picture whose answer is known, "
        "another question, a method that knows nothing, and a network that learnt nothing.",
        8,
        {**PAIR, **MAPS, "g_class": "honeycombed", "g_part": "Curves"},
        [
            Step(
                CAM,
                {},
                "Look at the two maps of “honeycombed”, the first answer of both networks. This picture was "
                "drawn by code, so where the honeycomb is, is known: the white line.",
                "the sentence below each map: does its maximum lie inside the line, and how much of it does?",
                "Are both maps right?",
                "Yes: both maxima lie inside the honeycomb, and so does most of either map. Pointing at "
                "the known place is the first test of a heatmap. It is a weak one: here, a map that knows "
                "nothing of the class passes it about half of the time.",
            ),
            Step(
                CAM,
                {"g_class": "banded"},
                "The class asked for is now “banded”: the same picture, and the other texture in it. Nobody "
                "answered that first; a map can be asked for it all the same. Go back and forth between this "
                "step and the last one.",
                "where the maps go.",
                "What would a map do that only shows what is striking in the picture?",
                "It would stay where it was. These leave the honeycomb and light up around it: the class "
                "enters them, through the gradient of its score. A map that answers every question alike "
                "is no answer to any.",
            ),
            Step(
                CAM,
                {"picture": "A spiral on bands", "g_class": "spiralled"},
                "Another drawn picture. Anybody sees the spiral; both networks say “spiralled” first.",
                "which network's map has its maximum inside the spiral. The ResNet is the surer of the two.",
                "The ResNet's answer is right. Is its reason?",
                "By this map, not only: its maximum lies on the bands. So a right and sure answer doesn't "
                "make a map point to the right place. Whether the network used the bands, or the map "
                "misleads, one map can't tell: try the cross-test, at the bottom of the page.",
            ),
            Step(
                CAM,
                {"g_method_b": "rollout"},
                "The ViT's method is now rollout, which follows attention through all blocks. Under “Class "
                "asked for”, change honeycombed to banded and back.",
                "which of the two maps changes, and what the sentence below the ViT's map says.",
                "Rollout passes the test for one texture. Is it a good map of that texture?",
                "No. No class enters rollout, so it is the same map for both textures: it is right about "
                "one and wrong about the other. That is why a test needs both questions, and many pictures.",
            ),
            Step(
                CAM,
                {"weights_a": "random", "seed_a": 4},
                "The ResNet's weights are now random: it has learnt nothing. Press “Measure” at the bottom.",
                "its map, its legend, its answers, and what the curves say of it.",
                "Can you tell from the colours that this network knows nothing?",
                "No: colours are stretched over whatever range there is. The legend can: its values are a "
                "tiny fraction of the trained network's. So can the answers, about one in twenty for each "
                "of twenty textures, and the curves: what the map ranks first matters no more than chance. "
                "Read the numbers before the colours.",
            ),
        ],
    ),
    "attention": Lesson(
        "Attention is not explanation",
        "Attention maps are the first thing that people show of a Vision Transformer. What do they "
        "explain? Ask for two classes and see which maps notice.",
        6,
        {**PAIR, **FLOWS, "r_class": "honeycombed", "r_block": 6},
        [
            Step(
                ROLLOUT,
                {},
                "Compare the ViT's three maps: attention in the last block, rollout through all blocks, "
                "and relevance, which weighs attention by the gradient of “honeycombed”, its first answer.",
                "which of them covers the honeycomb, and no more.",
                "Which map tells you where the honeycomb is?",
                "Relevance: most of it lies on the honeycomb. Attention and rollout are spread over both "
                "textures. They say where information could have come from, not what was made of it.",
            ),
            Step(
                ROLLOUT,
                {"r_class": "banded"},
                "The class asked for is now “banded”. Go back and forth between this step and the last one.",
                "which maps change.",
                "Two maps stayed exactly as they were. Why?",
                "Attention and rollout are computed on the way forward, before any class is asked for: "
                "they can't depend on it. Relevance, and the CNN's Grad-CAM, moved to the bands. “Proof”, "
                "at the bottom of the page, puts a number on it.",
            ),
            Step(
                ROLLOUT,
                {"r_residual": 90},
                "Open “Settings”. The residual share was 50 %, it is now 90 %: how "
                "much of itself each token is taken to keep in each block. Try 0 % as well.",
                "how far the rollout changes, while the network and the picture stay the same.",
                "Which share is the right one?",
                "Nobody measured one. 50 % is what the method's authors chose to stand for the residual "
                "connection. A map that depends on such a choice shows the method as well as the network.",
            ),
            Step(
                ROLLOUT,
                {"weights_b": "random", "seed_b": 0},
                "The ViT's weights are now random. Look at its rollout, then at the numbers below it.",
                "the legend's range: the smallest and the largest share that a patch gets.",
                "This network learnt nothing. Why does its rollout show something?",
                "Because colours are stretched over whatever range there is: here the largest share is "
                "only a few per cent above the smallest, where the trained network's differ by far more. A "
                "shared scale, to be chosen below the maps, makes that visible.",
            ),
        ],
    ),
    "depth": Lesson(
        "From edges to eyes",
        "Two networks of the same architecture look at a cat. One was trained on a million photographs, "
        "the other has random weights. How deep must you look to tell which is which?",
        6,
        {**CAT, "x": 38, "y": 37},
        [
            Step(
                FEATURES,
                {"layer_a": "conv_stem", "layer_b": "conv_stem", "view_a": "Channels", "view_b": "Channels"},
                "Compare the first layer of both networks. Only one of them was trained.",
                "the small pictures of the channels: outlines, bright and dark, colours.",
                "Could you tell which one was trained?",
                "Hardly. Even random filters respond to edges and colours, and the two overlays are almost "
                "the same. That a layer shows the picture's outlines is no sign that it learnt anything.",
            ),
            Step(
                FEATURES,
                {
                    "layer_a": "conv_stem",
                    "layer_b": "conv_stem",
                    "view_a": "Similar places",
                    "view_b": "Similar places",
                },
                "The mark is on the cat's pupil. Each map shows which places this first layer can't tell "
                "from it: orange is alike. Click elsewhere to ask about another place.",
                "what the orange places have in common.",
                "What does the first layer know about a pupil?",
                "That it is dark. Whatever is dark is alike to it, in both networks, be it an eye or a "
                "shadow.",
            ),
            Step(
                FEATURES,
                {
                    "layer_a": "blocks.3.0",
                    "layer_b": "blocks.3.0",
                    "view_a": "Similar places",
                    "view_b": "Similar places",
                },
                "The same question, a few blocks deeper.",
                "the other eye, and how much else is orange.",
                "Now which one was trained?",
                "The one that tells the eyes from everything else: outside of the eye that was asked "
                "about, nothing is as similar as the other eye. To the random network most of what it sees "
                "is still alike. Training shows in what a network tells apart.",
            ),
            Step(
                FEATURES,
                {
                    "layer_a": "blocks.6.0",
                    "layer_b": "blocks.6.0",
                    "view_a": "Channels",
                    "view_b": "Channels",
                },
                "The last block. Read the line of small print below each figure: channels, and their size.",
                "how coarse the maps have become, and how many channels there are.",
                "What did the network give up on the way, and what for?",
                "Place, for meaning: the first layer has few channels with many places, the last many "
                "channels with few places. That is why heatmaps from the last layer, such as Grad-CAM's, "
                "are coarse, whatever the smooth colours suggest.",
            ),
        ],
    ),
    "dream": Lesson(
        "A network's dream",
        "What would a network like to see? Two of them imagine every class from noise. Then each is asked "
        "what it thinks of the other's pictures.",
        7,
        {**PAIR, "m_part": "Gallery"},
        [
            Step(
                IMAGINE,
                {"m_look": "honeycombed"},
                "Both networks started from noise and climbed towards each class. Cover the names with your "
                "hand and guess them.",
                "what a picture has of its class, such as cells or stripes, and what it lacks.",
                "You can name many of them. What does that prove?",
                "That the network knows something that you know too. Not that it sees this in a photograph, "
                "and not that it goes by nothing else: each is one of many pictures that excite its class.",
            ),
            Step(
                IMAGINE,
                {"m_look": "chequered"},
                "Look at “One class, closer”. Some pictures were made with random views, shifted and turned "
                "anew at each step, the others with one view that never moved.",
                "which of them look like noise, and in the table below, how often each network recognises "
                "its own pictures of either kind.",
                "Every picture raised its class's score while it was made. What went wrong with one view?",
                "It found a trick that works from one angle. In new views the ResNet recognises only about "
                "half of its own one-view pictures, the ViT about one in eight; those made with random "
                "views, always. What is to be trusted must survive being moved.",
            ),
            Step(
                IMAGINE,
                {"m_look": "zigzagged"},
                "Now the other network is the judge. Look at “zigzagged”, then at the matrix at the bottom.",
                "the columns where one network judges the other's pictures.",
                "Both are sure of their own “zigzagged”, and neither believes the other's. Who is right?",
                "Each about itself: they go by different signs of the same word. With random views a picture "
                "convinces the other network about half of the time or more, with one view hardly ever. A "
                "second network is a test that your own eyes can't replace.",
            ),
            Step(
                IMAGINE,
                {
                    "m_part": "Make your own",
                    "m_who": "both",
                    "m_kind": "a class",
                    "m_class": ["honeycombed"],
                    "m_recipe": "fast",
                },
                "Press “Imagine” and watch. Then choose another seed under “Options of the recipe” and "
                "imagine once more.",
                "what stays and what changes.",
                "Which of the pictures is the network's idea of a honeycomb?",
                "None alone: many pictures excite the class, and the seed decides which one is found. What "
                "they have in common says more than any of them.",
            ),
        ],
    ),
    "same": Lesson(
        "Do they learn the same?",
        "A CNN and a ViT learnt the same task. Compare all of their layers, then do the same with networks "
        "that learnt nothing, and with noise.",
        7,
        {**PAIR, **COMPARED},
        [
            Step(
                SIMILARITY,
                {},
                "Press “Compare”: every block of the CNN beside every block of the ViT, on 64 drawn "
                "textures.",
                "the brightest cell of each row and where it lies. The input is at the lower left.",
                "Do the two networks climb together?",
                "Yes: what comes first in the CNN is most like what comes first in the ViT, and its last "
                "block is most like the ViT's last layers. Nobody told them to agree; the task was the same.",
            ),
            Step(
                SIMILARITY,
                {"weights_a": "random", "weights_b": "random", "seed_a": 0, "seed_b": 1},
                "Now neither network has learnt anything. Press “Compare” again.",
                "how bright the matrix is beside the last one.",
                "They know nothing, and are more alike than before. How can that be?",
                "Random layers pass on little but a picture's mean colour, and that is the same for both. A "
                "high value says that two layers find the same pictures alike, not that either knows "
                "anything.",
            ),
            Step(
                SIMILARITY,
                {"b": "texture_resnet", "weights_b": "random", "seed_b": 0},
                "The trained ResNet beside its own random self. Press “Compare”.",
                "the cells from the lower left to the upper right: the same layer, trained and random.",
                "From where on did training change what is computed?",
                "Little at the first layer, where even random filters find edges and colours. At the last "
                "block hardly anything is left in common. What is learnt is learnt deep inside.",
            ),
            Step(
                SIMILARITY,
                {"k_biased": True},
                "The CNN and the ViT again, both trained, but with the estimator of many notebooks: the "
                "biased one. Press “Compare”.",
                "the small matrix “Control: noise”. It compares random numbers that have nothing in common.",
                "What does the biased estimator find in noise?",
                "Nearly perfect agreement in many cells, as there are far more features than pictures. The "
                "unbiased one finds about 0. Before you believe a high value, ask what noise would get.",
            ),
        ],
    ),
}
