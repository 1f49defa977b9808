"""Each quantity of the report in a line."""

from trainables.data.task import Task

_DEFINITIONS: dict[str, str] = {
    "compression ratio": (
        "parameters of the dense network ÷ parameters kept; all parameters counted. Where units are removed, those of "
        "the classifier (the classes) never are; single weights of it are, at half the rate of other layers (another "
        "with prune.output_rate, 0: not at all), or as they compete with all others where the scope is global. "
        "(Density is its inverse, sparsity 1 − density.) Where methods only give parameters fewer bits it is "
        "bits of the dense network's description ÷ bits of what is left, for all methods of the study"
    ),
    "description length": (
        "bits of a message from which the network can be made again: masks by gaps in Rice's code, code books and "
        "Huffman's words where numbers take few values, 32 bits a number elsewhere, batch-norm statistics included"
    ),
    "compressibility (auc)": (
        "mean over log₂ of the compression ratio from 0 to L of ({score} − chance) ÷ (dense {score} − chance), "
        "clipped to 0…1, {score} on the training labels as given; undefined for a network that did not fit"
    ),
    "contrast": (
        "compressibility of the clean twin − that of the noisy network; same initial weights and batch order; only "
        "pairs in which both interpolated"
    ),
    "clean twin (control)": "the same network trained with label noise 0 and true inputs",
    "generalization gap": (
        "train {score} on the labels given − test {score} on clean labels, of the same dense network"
    ),
    "label noise": (
        "share of training labels put through the noise; `uniform` draws from all classes, so a share 1 − 1/C of "
        "them changes"
    ),
    "placebo": (
        "a condition that leaves a rule to learn and nothing to memorise (classes renamed, one permutation of the "
        "pixels for all images), so that no contrast is expected"
    ),
    "kept, changed examples": "training examples whose label stayed true, and those whose label the noise changed",
    "selectivity": "auc on kept examples − auc on changed ones, inside one network",
    "fidelity": "share of validation inputs on which a compressed network predicts what its dense network predicted",
    "scratch arm": (
        "fresh networks of the same sizes, labels and budget, beside recovery or distillation: relearning is not "
        "compressibility"
    ),
    "interpolated": (
        "the dense network fits the labels that it was given: at least 99 % of them, or a loss of at most 0.01"
    ),
    "verdict": (
        "supported, refuted or open, by intervals that hold for all claims of the study and all their conditions "
        "together; undefined, with the reason, where there are fewer than two units"
    ),
    "confidence sequence": (
        "an interval for every number of units that covers the truth at all of them at once, however often one looks, "
        "stops or extends: the mean of an anytime t (Wang & Ramdas 2022) and a bet (Waudby-Smith & Ramdas 2024) decides"
    ),
    "interval": (
        "of a claim Student’s t at the planned number of units, simultaneous over all claims; elsewhere Student’s t at "
        "95 % over trials, over the replicates where there is one trial; none below 3"
    ),
    "robustness": "the claims asked again of the stored curves, under other choices than those of the study",
    "Kendall τ within strata": (
        "τ-b over pairs of trials that share condition and instrument (after Jiang et al. 2020, arXiv:1912.02178), "
        "p by permutation within strata; not stated below 20 pairs"
    ),
}
# What is said otherwise, or not ("") where networks were asked for numbers.
_OF_NUMBERS = {
    "label noise": (
        "share of training targets put through the noise; `permuted` shuffles them among themselves, `uniform` draws "
        "from all training targets"
    ),
    "fidelity": "R² of what a compressed network says of validation inputs, held against what its dense network said",
    "interpolated": "the dense network fits the targets that it was given: R² ≥ 0.99, or a loss of at most 0.01",
    "R²": "1 − squared error ÷ variance of the targets; 0, chance, is what their mean would have, and less is worse",
}


def definitions(task: Task) -> dict[str, str]:
    """Word → what it means, where networks were asked for this."""
    texts = _DEFINITIONS if task.has_classes else _DEFINITIONS | _OF_NUMBERS
    return {word: text.format(score=task.label) for word, text in texts.items() if text}
