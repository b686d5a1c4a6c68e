"""What a Keras model file may name where it says how a part of it was compiled.

None of it is made (`_held`): training goes by the options of the command.
"""

from __future__ import annotations

from resnet_edge.models._allowed import Pair, names, pairs

_LOSSES = names(
    """
    BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy CategoricalFocalCrossentropy
    CategoricalGeneralizedCrossEntropy CategoricalHinge Circle CosineSimilarity Dice Hinge Huber
    KLDivergence LogCosh MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError
    MeanSquaredLogarithmicError Poisson SparseCategoricalCrossentropy SquaredHinge Tversky
    """
)

_METRICS = names(
    """
    AUC Accuracy BinaryAccuracy BinaryCrossentropy BinaryIoU CategoricalAccuracy CategoricalCrossentropy
    CategoricalHinge ConcordanceCorrelation CosineSimilarity F1Score FBetaScore FalseNegatives
    FalsePositives Hinge IoU KLDivergence LogCoshError Mean MeanAbsoluteError
    MeanAbsolutePercentageError MeanIoU MeanMetricWrapper MeanSquaredError MeanSquaredLogarithmicError
    OneHotIoU OneHotMeanIoU PearsonCorrelation Poisson Precision PrecisionAtRecall R2Score Recall
    RecallAtPrecision RootMeanSquaredError SensitivityAtSpecificity SparseCategoricalAccuracy
    SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy SpecificityAtSensitivity SquaredHinge
    Sum TopKCategoricalAccuracy TrueNegatives TruePositives
    """
)

_OPTIMIZERS = names(
    """
    Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion LossScaleOptimizer MultiOptimizer Muon
    Nadam RMSprop SGD ScheduleFreeAdamW
    """
)

_SCHEDULES = names(
    """
    CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay
    PolynomialDecay
    """
)

_COMPILED_FUNCTIONS = names(
    """
    binary_accuracy binary_crossentropy binary_focal_crossentropy categorical_accuracy
    categorical_crossentropy categorical_focal_crossentropy categorical_generalized_cross_entropy
    categorical_hinge circle concordance_correlation cosine_similarity ctc dice hinge huber
    kl_divergence log_cosh mean_absolute_error mean_absolute_percentage_error mean_squared_error
    mean_squared_logarithmic_error pearson_correlation poisson sparse_categorical_accuracy
    sparse_categorical_crossentropy sparse_top_k_categorical_accuracy squared_hinge
    top_k_categorical_accuracy tversky
    """
)
"""Functions of `keras.losses` and `keras.metrics`."""

COMPILED_CLASSES: frozenset[Pair] = frozenset().union(
    pairs("keras.losses", _LOSSES),
    pairs("keras.metrics", _METRICS),
    pairs("keras.optimizers", _OPTIMIZERS),
    pairs("keras.optimizers.schedules", _SCHEDULES),
)
"""What may stand there beside `CLASSES`."""

COMPILED_FUNCTIONS: frozenset[Pair] = frozenset().union(
    *(pairs(module, _COMPILED_FUNCTIONS) for module in ("builtins", "keras.losses", "keras.metrics"))
)
