"""The lessons, as data: a step is a page, the state of its widgets, and a question that is guessed at
before its answer opens. ``guide`` shows them; what they claim, ``tests/test_lessons.py`` computes."""

from __future__ import annotations

from typing import Any, NamedTuple


class Step(NamedTuple):
    page: str
    values: dict[str, Any]  # of widgets, by key; on top of the lesson's own
    do: str
    watch: str
    question: str
    answer: str
    options: tuple[str, ...]  # to guess from; none where the guess is a mark on the picture
    right: int  # which of them
    shows: tuple[str, ...]  # keys of what the step needs of its page: its maps first
    asked: str = ""  # the key of the control that it asks for, if it does
    covered: bool = False  # until the guess is given: what is seen is the answer


class Lesson(NamedTuple):
    title: str
    about: str
    minutes: int
    values: dict[str, Any]  # of widgets in every step
    steps: list[Step]


FEATURES, ROLLOUT, CAM = (f"pages/{name}.py" for name in ("feature_maps", "attention_rollout", "grad_cam"))
IMAGINE, SIMILARITY = (f"pages/{name}.py" for name in ("activation_maximization", "similarity"))
TRY, CLAIMS = "pages/experiments.py", "pages/claims.py"
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
                "Two networks that know textures alone, and their maps of “honeycombed”, the first answer of "
                "both. The picture was drawn by code, so where the honeycomb is, is known: the white line.",
                "where the maximum of each lies; a sentence below it says so once you have guessed.",
                "Which maps are right?",
                "Both maxima lie inside the honeycomb, and so does most of either map. Pointing at "
                "the known place is the first test of a heatmap. It is a weak one: here, a map that knows "
                "nothing of the class passes it about half of the time.",
                ("both", "only the ResNet’s", "only the ViT’s", "neither"),
                0,
                ("g_maps",),
            ),
            Step(
                CAM,
                {"g_class": "banded"},
                "The class asked for is now “banded”, the other texture in the same picture. Nobody "
                "answered that first; a map can be asked for it all the same.",
                "where the maps are once you have guessed, and where they were one step back.",
                "Suppose that a map showed only what is striking, whatever is asked. Where would it be now?",
                "Such a map would stay where it was. The two maps here leave the honeycomb and light up "
                "around it, since the class asked for enters them, through the gradient of its score. A map "
                "that answers every question alike is no answer to any.",
                ("where it was", "on the bands", "nowhere"),
                0,
                ("g_maps",),
                covered=True,
            ),
            Step(
                CAM,
                {"picture": "A spiral on bands", "g_class": "spiralled"},
                "Another drawn picture. Anybody sees the spiral; both networks say “spiralled” first.",
                "which network's map has its maximum inside the spiral. The ResNet is the surer of the two.",
                "The surer network’s answer is right. Does its map point to the spiral too?",
                "No: the ResNet’s maximum lies on the bands. So a right and sure answer doesn't "
                "make a map point to the right place. Whether the network used the bands, or the map "
                "misleads, one map can't tell: that takes the cross-test, at the bottom of the whole page.",
                ("yes, a sure answer has a true map", "no, only the less sure one’s does", "neither does"),
                1,
                ("g_maps",),
            ),
            Step(
                CAM,
                {"g_method_b": "rollout"},
                "The ViT's method is now rollout, which follows attention through all blocks. Change the "
                "class from honeycombed to banded and back.",
                "which of the two maps changes.",
                "Rollout points to one texture. Is it a good map of that texture?",
                "No. No class enters rollout, so it is the same map for both textures: it is right about "
                "one and wrong about the other. That is why a test needs both questions, and many pictures.",
                ("yes", "no, it is the same for the other texture"),
                1,
                ("g_maps", "g_class"),
                "g_class",
            ),
            Step(
                CAM,
                {"weights_a": "random", "seed_a": 4},
                "The ResNet's weights are now random: it has learnt nothing. Press “Measure”.",
                "its map, its legend, and its curves.",
                "Can you tell from the colours alone that this network knows nothing?",
                "No: colours are stretched over whatever range there is. The legend can: its values are a "
                "tiny fraction of the trained network's. So can its answers, about one in twenty for each "
                "of twenty textures, and the curves: what the map ranks first matters no more than chance. "
                "Read the numbers before the colours.",
                ("yes, they are paler", "yes, they are everywhere", "no"),
                2,
                ("g_maps", "g_curves_job"),
                "g_curves_button",
            ),
        ],
    ),
    "paint": Lesson(
        "Paint it out",
        "The plainest test of what an answer rests on: cover it. First say where you would look, then cover "
        "as little as you can, then let a network be fooled by what nobody sees.",
        7,
        {**PAIR, "picture": "A spiral on bands", "e_class": "spiralled", "e_with": "blur"},
        [
            Step(
                TRY,
                {"e_part": "Guess first"},
                "Mark on the picture where you would look for the spiral, then uncover both maps.",
                "how much of your mark is among a map’s first cells, and how much would be by chance.",
                "Where is the spiral? Mark it.",
                "Anybody sees it, and the ViT’s map has its maximum inside. The ResNet’s has it on the "
                "bands, though both networks say “spiralled”. A right answer alone doesn’t tell that a "
                "network looked where you would.",
                (),
                0,
                ("e_table", "e_covered", "e_of"),
                "e_guessing",
            ),
            Step(
                TRY,
                {"e_part": "Paint it out"},
                "Guess first. Then paint over the whole spiral: a blur covers it.",
                "both networks’ bars while you paint.",
                "What will the networks say once the spiral is covered?",
                "Under a cover of just the spiral both say “banded”, and are surer of it than they were of "
                "the spiral; under yours the figures may differ. It was a second answer all along: the "
                "picture has two textures, and the networks name one.",
                ("both “banded”", "both still “spiralled”", "one this, one that"),
                0,
                ("e_easel",),
                "e_board",
            ),
            Step(
                TRY,
                {"e_part": "Paint it out"},
                "Clear it. Now cover as little as you can until an answer changes; the page keeps your best.",
                "the smallest cover of each network.",
                "Whose answer changes under the smaller cover?",
                "The ViT’s. In the order of its own map 7 % of the picture is enough, for the ResNet 17 %; "
                "covers in the order of a random map have to be larger, 26 and 86 %. You may have found "
                "smaller ones: a map’s order isn’t the best there is.",
                ("the ResNet’s", "the ViT’s", "both at once"),
                1,
                ("e_easel",),
                "e_board",
            ),
            Step(
                TRY,
                {"e_part": "Fool it", "e_whom": "b", "e_size": 2},
                "Nothing is covered now. Each value of the picture is changed by 2 of 255 at most, along "
                "the ViT’s own gradient.",
                "the answers before and after, and whether the maps give it away.",
                "The ViT is fooled by what you can’t see. Is the ResNet fooled by the same picture?",
                "No: it still says “spiralled”, as sure as before. The change was made for one network’s "
                "weights. A random change as large fools neither.",
                ("yes", "no"),
                1,
                ("e_verdict", "e_two"),
                covered=True,
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
                "Compare the ViT's three maps: attention in the last block, rollout through all blocks, and "
                "relevance, which weighs attention by the gradient of “honeycombed”, its first answer.",
                "which of them covers the honeycomb, and no more.",
                "Which of the three tells you where the honeycomb is?",
                "Relevance: most of it lies on the honeycomb. Attention and rollout are spread over both "
                "textures. They say where information could have come from, not what was made of it.",
                ("attention", "rollout", "relevance"),
                2,
                ("r_maps_0",),
            ),
            Step(
                ROLLOUT,
                {"r_class": "banded"},
                "The class asked for is now “banded”. Change it to honeycombed and back.",
                "which maps change.",
                "How many of the ViT’s three maps change with the class?",
                "One. Attention and rollout are computed on the way forward, before any class is asked for: "
                "they can't depend on it. Relevance, and the CNN's Grad-CAM, moved to the bands. “Proof”, "
                "at the bottom of the whole page, puts a number on it.",
                ("none", "one", "two", "all"),
                1,
                ("r_maps_0", "r_class"),
                "r_class",
            ),
            Step(
                ROLLOUT,
                {"r_residual": 90},
                "Open “Settings”. The residual share was 50 %, it is now 90 %: how much of itself each "
                "token is taken to keep in each block. Try 0 % as well.",
                "how far the rollout changes, while network and picture stay the same.",
                "Which share is the right one?",
                "Nobody measured one. 50 % is what the method's authors chose to stand for the residual "
                "connection. A map that depends on such a choice shows the method as well as the network.",
                ("0 %", "50 %", "90 %", "nobody knows"),
                3,
                ("r_maps_0", "r_settings"),
                "r_settings",
            ),
            Step(
                ROLLOUT,
                {"weights_b": "random", "seed_b": 0},
                "The ViT's weights are now random. Look at its rollout, then at the numbers below it.",
                "the legend's range: the smallest and the largest share that a patch gets.",
                "This network learnt nothing. How much more does its favourite patch get than its least?",
                "Only a few per cent more, where the trained network's differ by far more. It shows "
                "something because colours are stretched over whatever range there is. A shared scale, to "
                "be chosen below the maps of the whole page, makes that visible.",
                ("a few per cent more", "twice as much", "ten times as much"),
                0,
                ("r_maps_0",),
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
                "outlines, bright and dark.",
                "Could you tell from this layer which one was trained?",
                "Hardly. Even random filters respond to edges and colours, and the two overlays are almost "
                "the same. That a layer shows the picture's outlines is no sign that it learnt anything.",
                ("yes, it has the outlines", "hardly, they are almost the same", "yes, it is the brighter"),
                1,
                ("f_maps",),
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
                ("that it is an eye", "that it is dark", "that it is round"),
                1,
                ("f_maps",),
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
                "Which of the two finds the cat’s other eye?",
                "The trained one tells the eyes from everything else: outside of the eye that was asked "
                "about, nothing is as similar as the other eye. To the random network most of what it sees "
                "is still alike. Training shows in what a network tells apart.",
                ("the trained one", "the random one", "both", "neither"),
                0,
                ("f_maps",),
            ),
            Step(
                FEATURES,
                {
                    "layer_a": "blocks.6.0",
                    "layer_b": "blocks.6.0",
                    "view_a": "Channels",
                    "view_b": "Channels",
                },
                "The last block. Go back through the layers with the arrow beside their name.",
                "how coarse the maps have become.",
                "On the way to here, what did the network give up, and what for?",
                "Place, for meaning: the first layer has few channels with many places, the last many "
                "channels with few places. That is why heatmaps from the last layer, such as Grad-CAM's, "
                "are coarse, whatever the smooth colours suggest.",
                ("channels, for places", "places, for channels", "colours, for outlines"),
                1,
                ("f_maps",),
                "line_a",
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
                "Both networks started from noise and climbed towards “honeycombed”. Look at others too.",
                "what a picture has of its class, such as cells or stripes, and what it lacks.",
                "You can name many of them. What does that prove?",
                "That the network knows something that you know too. Not that it sees this in a photograph, "
                "and not that it goes by nothing else: each is one of many pictures that excite its class.",
                ("that it sees as you do", "that it knows something that you know too", "nothing at all"),
                1,
                ("m_closer",),
                "m_look",
            ),
            Step(
                IMAGINE,
                {"m_look": "chequered"},
                "Some pictures were made with random views, shifted and turned anew at each step, the others "
                "with one view that never moved.",
                "which of them look like noise.",
                "How often does the ResNet recognise its own one-view pictures, once they are moved?",
                "About half of the time, and the ViT about one in eight; those made with random views, "
                "always. With one view it found a trick that works from one angle. What is to be trusted "
                "must survive being moved.",
                ("always", "about half of the time", "never"),
                1,
                ("m_closer",),
            ),
            Step(
                IMAGINE,
                {"m_look": "zigzagged"},
                "Now the other network is the judge. Each is sure of its own “zigzagged”.",
                "what the two pictures with random views have in common.",
                "Does the other network say “zigzagged” too?",
                "Neither believes the other's: they go by different signs of the same word. Over all "
                "classes, with random views a picture convinces the other network about half of the time or "
                "more, with one view hardly ever. A second network is a test that your own eyes can't "
                "replace.",
                ("both do", "only the ResNet", "only the ViT", "neither does"),
                3,
                ("m_closer",),
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
                "Press “Imagine” and watch. Then take another seed and imagine once more.",
                "what stays and what changes.",
                "Which of the pictures is the network's idea of a honeycomb?",
                "None alone: many pictures excite the class, and the seed decides which one is found. What "
                "they have in common says more than any of them.",
                ("the first", "the one with the highest score", "none alone"),
                2,
                ("m_run_job", "m_options"),
                "m_run_button",
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
                "The CNN’s first blocks are most like which blocks of the ViT?",
                "Its first: what comes first in the CNN is most like what comes first in the ViT, and its "
                "last block is most like the ViT's last layers. Nobody told them to agree; the task was the "
                "same.",
                ("its first", "its last", "all alike"),
                0,
                ("k_cka_job",),
                "k_cka_button",
            ),
            Step(
                SIMILARITY,
                {"weights_a": "random", "weights_b": "random", "seed_a": 0, "seed_b": 1},
                "Now neither network has learnt anything. Press “Compare” again.",
                "how bright the matrix is beside the last one.",
                "Are two networks that know nothing more alike, or less?",
                "More. Random layers pass on little but a picture's mean colour, and that is the same for "
                "both. A high value says that two layers find the same pictures alike, not that either knows "
                "anything.",
                ("more alike", "as alike", "less alike"),
                0,
                ("k_cka_job",),
                "k_cka_button",
            ),
            Step(
                SIMILARITY,
                {"b": "texture_resnet", "weights_b": "random", "seed_b": 0},
                "The trained ResNet beside its own random self. Press “Compare”.",
                "the cells from the lower left to the upper right: the same layer, trained and random.",
                "Where did training change most of what is computed?",
                "At the end. The first layer is little changed: even random filters find edges and colours. "
                "At the last block hardly anything is left in common. What is learnt is learnt deep inside.",
                ("at the first layer", "everywhere alike", "at the last block"),
                2,
                ("k_cka_job",),
                "k_cka_button",
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
                ("nothing in common", "a little in common", "nearly perfect agreement"),
                2,
                ("k_cka_job",),
                "k_cka_button",
            ),
        ],
    ),
    "local": Lesson(
        "Local or global?",
        "People say that a Vision Transformer looks globally from its first block, and that a CNN sees only"
        " its neighbourhood. Two things can be meant by it. Both can be measured.",
        5,
        {**PAIR, "c_part": "Local or global?", "x": 50, "y": 50},
        [
            Step(
                CLAIMS,
                {},
                "The heads of the ViT's first block fetch what is elsewhere in the picture. How far away "
                "that is was measured on fifty drawn textures, and on the same network before it learnt "
                "anything.",
                "the first sentence on the ViT, and the grey one on random weights.",
                "How far do the heads of its first block look?",
                "As far as if they looked everywhere alike: 65 pixels in the mean, of 66. So the claim is "
                "true of its attention. But with random weights it was 66: nobody had to learn that.",
                ("to the next patches", "half-way", "as far as if they looked everywhere alike"),
                2,
                ("c_room_a", "c_room_b"),
                covered=True,
            ),
            Step(
                CLAIMS,
                {"c_depth": 10},
                "Now the other meaning: which pixels does the place in the middle depend on, behind the "
                "first block? Its gradient says so.",
                "the ViT's map, and the pixels within which 90 % of it lies.",
                "What does the ViT’s middle place depend on, behind its first block?",
                "Little more than its own patch, though its heads look everywhere: what they fetch is "
                "little beside what the patch keeps of itself. So of this the claim is false.",
                ("the whole picture", "little more than its own patch", "all but its own patch"),
                1,
                ("c_depths", "c_maps"),
                covered=True,
            ),
            Step(
                CLAIMS,
                {"c_depth": 50},
                "Half-way through the layers. Move the depth to 100, then back to 0.",
                "how the two maps grow, block by block.",
                "Whose middle place depends on the picture as a whole, at 100?",
                "Both: behind their last blocks the gradient of either reaches most of the picture. The "
                "CNN’s neighbourhood has become the whole. Either claim is true of one end of a network "
                "alone.",
                ("only the ViT’s", "only the ResNet’s", "both", "neither"),
                2,
                ("c_depths", "c_maps"),
                "c_depths",
            ),
        ],
    ),
    "shape": Lesson(
        "Shape or texture?",
        "CNNs are said to go for textures and Vision Transformers for shapes. Take one of the two away from"
        " a picture, and ask two networks what it is.",
        5,
        {**PAIR, "picture": "A spiral on bands", "c_part": "Shape or texture?"},
        [
            Step(
                CLAIMS,
                {"c_change": "shuffled", "c_level": 3},
                "The picture is cut into 8 × 8 patches, and these are shuffled. The spiral is gone; what it"
                " is made of is still there. Both networks said “spiralled”.",
                "both networks’ answers, once you have guessed.",
                "Who still says “spiralled”?",
                "The ViT, as sure as before, though it is the one that is said to go for shapes: these are "
                "its own patches, each as it was. Of 200 textures shuffled so it still names 85 %, the "
                "ResNet 39 %.",
                ("the ResNet", "the ViT", "both", "neither"),
                1,
                ("c_room_a", "c_room_b"),
                "c_pictures",
                covered=True,
            ),
            Step(
                CLAIMS,
                {"c_change": "edges", "c_level": 1},
                "Now a drawing: dark lines where the picture changes most, no colour and no shade.",
                "both networks’ answers, once you have guessed.",
                "Who knows the spiral by its lines alone?",
                "Both. But one picture is one picture: of 200 textures as drawings the ResNet still names "
                "60 %, the ViT 38 %.",
                ("the ResNet", "the ViT", "both", "neither"),
                2,
                ("c_room_a", "c_room_b"),
                "c_pictures",
                covered=True,
            ),
            Step(
                CLAIMS,
                {"c_change": "another's amplitudes", "c_level": 3, "c_other": "Honeycomb in bands"},
                "A picture’s phases hold where its edges are. Here they are the spiral’s, while three "
                "quarters of the amplitudes, how much there is of each fineness, are those of the honeycomb"
                " in bands.",
                "both networks’ answers, once you have guessed.",
                "Who still says “spiralled”?",
                "The ResNet. Over 200 such pictures it puts the phases’ class before the other one in 47 %,"
                " the ViT in 25 %. Of these two networks the claim is the other way round: small ones, that"
                " learnt textures alone. Ask which networks were measured, and on what.",
                ("the ResNet", "the ViT", "both", "neither"),
                0,
                ("c_room_a", "c_room_b"),
                "c_pictures",
                covered=True,
            ),
        ],
    ),
}
