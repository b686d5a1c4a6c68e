"""The classes and functions that a Keras model file may name: all of them, by module and name.

Each is data in, arithmetic out: none reads a file, asks a network, imports, runs code that the file
brings, or changes the state of Keras. Left out of Keras' own layers are `Lambda`, `TFSMLayer`,
`TorchModuleWrapper`, `JaxLayer`, `FlaxLayer` (programs) and `StringLookup`, `IntegerLookup`,
`TextVectorization` (their vocabulary may be a path or a URL, CVE-2025-12058); of its operations those that
take a function. tests/models/test_allowed.py holds the list against every name that Keras exports.
"""

from __future__ import annotations

Pair = tuple[str, str]
"""Module and name, as a file spells them."""


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def pairs(module: str, names: frozenset[str] | set[str]) -> set[Pair]:
    return {(module, name) for name in names}


LAYERS = names(
    """
    Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D
    AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add
    AdditiveAttention AlphaDropout Attention AugMix AutoContrast Average AveragePooling1D
    AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D BatchNormalization Bidirectional
    CategoryEncoding CenterCrop Concatenate ContrastLimitedAdaptiveHistogramEqualization Conv1D
    Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D
    Convolution1D Convolution1DTranspose Convolution2D Convolution2DTranspose Convolution3D
    Convolution3DTranspose Cropping1D Cropping2D Cropping3D CutMix Dense DepthwiseConv1D DepthwiseConv2D
    Discretization Dot Dropout ELU EinsumDense Embedding Equalization Flatten GRU GRUCell
    GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization GroupQueryAttention
    HashedCrossing Hashing Identity InputLayer LSTM LSTMCell LayerNormalization LeakyReLU Masking
    MaxNumBoundingBoxes MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D Maximum
    MelSpectrogram Minimum MixUp MultiHeadAttention Multiply Normalization PReLU Permute Pipeline
    RMSNormalization RNN RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter
    RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur
    RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation
    RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom ReLU RepeatVector
    Rescaling Reshape Resizing ReversibleEmbedding STFTSpectrogram SeparableConv1D SeparableConv2D
    SeparableConvolution1D SeparableConvolution2D SimpleRNN SimpleRNNCell Softmax Solarization
    SpatialDropout1D SpatialDropout2D SpatialDropout3D SpectralNormalization StackedRNNCells Subtract
    TimeDistributed UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D
    ZeroPadding3D
    """
)
"""Of `keras.layers`."""

MODELS = frozenset({"Functional", "Model", "Sequential"})

INITIALIZERS = names(
    """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity IdentityInitializer LecunNormal
    LecunUniform Ones Orthogonal OrthogonalInitializer RandomNormal RandomUniform STFT STFTInitializer
    TruncatedNormal VarianceScaling Zeros constant glorot_normal glorot_uniform he_normal he_uniform
    identity lecun_normal lecun_uniform ones orthogonal random_normal random_uniform stft
    truncated_normal variance_scaling zeros
    """
)

REGULARIZERS = names(
    """
    L1 L1L2 L2 OrthogonalRegularizer l1 l1_l2 l2 orthogonal_regularizer
    """
)

CONSTRAINTS = names(
    """
    MaxNorm MinMaxNorm NonNeg UnitNorm max_norm min_max_norm non_neg unit_norm
    """
)

POLICIES = names(
    """
    AWQDTypePolicy DTypePolicy DTypePolicyMap FloatDTypePolicy GPTQDTypePolicy Int4DTypePolicy
    QuantizedDTypePolicy QuantizedFloat8DTypePolicy
    """
)
"""Of `keras.dtype_policies`."""

QUANTIZERS = names(
    """
    AbsMaxQuantizer Float8QuantizationConfig Int4QuantizationConfig Int8QuantizationConfig QuantizationConfig
    """
)

ACTIVATIONS = names(
    """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu
    linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus
    softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold
    """
)
"""Functions of `keras.activations`."""

_OPS = names(
    """
    celu elu gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu log_sigmoid
    log_softmax relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus
    sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold
    """
)
"""The same, spelled as functions of `keras.ops`."""

_OPERATIONS = {
    "keras.src.activations.activations": """
        Mish ReLU
    """,
    "keras.src.ops.core": """
        Cast ConvertToTensor SaturateCast Scatter ScatterUpdate Slice SliceUpdate StopGradient
        Unstack
    """,
    "keras.src.ops.einops": """
        Rearrange
    """,
    "keras.src.ops.image": """
        AffineTransform CropImages ElasticTransform ExtractPatches GaussianBlur HSVToRGB
        MapCoordinates PadImages PerspectiveTransform RGBToGrayscale RGBToHSV Resize SSIM
        ScaleAndTranslate SobelEdges
    """,
    "keras.src.ops.linalg": """
        Cholesky CholeskyInverse Det Eig Eigh Inv Lstsq LuFactor MatrixRank Norm Pinv Qr SVD Solve
        SolveTriangular
    """,
    "keras.src.ops.math": """
        CDist Erf Erfc Erfinv ExtractSequences FFT FFT2 IFFT2 IRFFT ISTFT InTopK Logdet Logsumexp
        RFFT Rsqrt STFT SegmentMax SegmentMin SegmentProd SegmentReduction SegmentSum TopK
        ViewAsComplex ViewAsReal
    """,
    "keras.src.ops.nn": """
        AdaptiveAveragePool AdaptiveMaxPool AveragePool BatchNorm BinaryCrossentropy CTCDecode
        CTCLoss CategoricalCrossentropy Celu Conv ConvTranspose DepthToSpace DepthwiseConv
        DotProductAttention Elu Fold Gelu Glu HardShrink HardSigmoid HardSilu HardTanh LayerNorm
        LeakyRelu LogSigmoid LogSoftmax MaxPool Moments MultiHot Normalize OneHot PSNR Polar RMSNorm
        Relu Relu6 Selu SeparableConv Sigmoid Silu SoftShrink Softmax Softplus Softsign SpaceToDepth
        SparseCategoricalCrossentropy SparsePlus SparseSigmoid Sparsemax Squareplus TanhShrink
        Threshold Unfold
    """,
    "keras.src.ops.numpy": """
        Abs Absolute Add All AllClose Amax Amin Angle Any Append Arange Arccos Arccosh Arcsin
        Arcsinh Arctan Arctan2 Arctanh Argmax Argmin Argpartition Argsort Array ArraySplit Average
        Bincount BitwiseAnd BitwiseInvert BitwiseLeftShift BitwiseNot BitwiseOr BitwiseRightShift
        BitwiseXor BroadcastTo Cbrt Ceil Clip Concatenate Conj Conjugate Copy Corrcoef Correlate Cos
        Cosh CountNonzero Cross Cumprod Cumsum Deg2rad Diag Diagflat Diagonal Diff Digitize Divide
        DivideNoNan Dot Dsplit Dstack Einsum EmptyLike Equal Exp Exp2 ExpandDims Expm1 Fabs Flip
        Fliplr Flipud Floor FloorDivide Fmax Fmin Fmod Full FullLike Gcd Geomspace GetItem Greater
        GreaterEqual Heaviside Histogram Hsplit Hstack Hypot I0 Imag Inner IsIn Isclose Isfinite
        Isinf Isnan Isneginf Isposinf Isreal Kron Lcm Ldexp LeftShift Less LessEqual Linspace Log
        Log10 Log1p Log2 Logaddexp Logaddexp2 LogicalAnd LogicalNot LogicalOr LogicalXor Logspace
        Matmul Max Maximum Mean Median Meshgrid Min Minimum Mod Moveaxis Multiply NanToNum Nanargmax
        Nanargmin Nancumprod Nancumsum Nanmax Nanmean Nanmedian Nanmin Nanpercentile Nanprod
        Nanquantile Nanstd Nansum Nanvar Ndim Negative Nextafter Nonzero NotEqual OnesLike Outer Pad
        Percentile Power Prod Ptp Quantile Rad2deg Ravel Real Reciprocal Repeat Reshape RightShift
        Roll Rot90 Round SearchSorted Select Sign Signbit Sin Sinc Sinh Size Slogdet Sort Split Sqrt
        Square Squeeze Stack Std Subtract Sum Swapaxes Take TakeAlongAxis Tan Tanh Tensordot Tile
        Trace Transpose Trapezoid Tril Triu TrueDivide Trunc Unique UnravelIndex Vander Var Vdot
        View Vsplit Vstack Where ZerosLike
    """,
}
"""What a function of Keras that was called on a symbolic tensor leaves in a file."""


OPERATIONS: frozenset[str] = frozenset().union(*map(names, _OPERATIONS.values()))
"""Their names alone."""

CLASSES: frozenset[Pair] = frozenset().union(
    pairs("keras", {"Model", "Sequential", "DTypePolicy", "FloatDTypePolicy"}),
    pairs("keras.models", {"Model", "Sequential"}),
    pairs("keras.src.models.functional", {"Functional"}),
    pairs("keras.src.models.model", {"Model"}),
    pairs("keras.src.models.sequential", {"Sequential"}),
    pairs("keras.layers", LAYERS),
    pairs("keras.src.applications.convnext", {"LayerScale", "StochasticDepth"}),
    pairs("keras.src.applications.inception_resnet_v2", {"CustomScaleLayer"}),
    pairs("keras.initializers", INITIALIZERS),
    pairs("keras.regularizers", REGULARIZERS),
    pairs("keras.constraints", CONSTRAINTS),
    pairs("keras.dtype_policies", POLICIES),
    pairs("keras.mixed_precision", {"DTypePolicy", "Policy"}),
    pairs("keras.quantizers", QUANTIZERS),
    pairs("keras.random", {"SeedGenerator"}),
    *(pairs(module, names(text)) for module, text in _OPERATIONS.items()),
)

FUNCTIONS: frozenset[Pair] = frozenset().union(
    pairs("builtins", ACTIVATIONS),  # how Keras spells its own activations
    pairs("keras.activations", ACTIVATIONS),
    pairs("keras.ops", _OPS),
)

UNNAMED = LAYERS | MODELS | INITIALIZERS | REGULARIZERS | CONSTRAINTS | POLICIES | {"Policy"}
"""What the older form, which gives no module, may name."""

_KERAS2 = ("keras", "keras.src", "tf_keras.src")
"""Where Keras 2 keeps its own classes: before 2.13, since, and as the package tf_keras."""

TF_CALLS = frozenset({"TFOpLambda", "SlicingOpLambda"})
"""TensorFlow functions that Keras 2 stored as layers; `_keras2_calls` has a list of those functions."""

KERAS2_CLASSES: frozenset[Pair] = frozenset().union(
    pairs("keras", {"Model", "Sequential"}),
    pairs("keras.models", {"Model", "Sequential"}),
    *(pairs(f"{root}.engine.functional", {"Functional"}) for root in _KERAS2),
    *(pairs(f"{root}.engine.sequential", {"Sequential"}) for root in _KERAS2),
    *(pairs(f"{root}.engine.training", {"Model"}) for root in _KERAS2),
    *(pairs(f"{root}.layers.core.tf_op_layer", TF_CALLS) for root in _KERAS2),
    pairs("keras.layers", LAYERS),
    pairs("keras.layers.experimental.preprocessing", LAYERS),
    pairs("keras.initializers", INITIALIZERS),
    pairs("keras.regularizers", REGULARIZERS),
    pairs("keras.constraints", CONSTRAINTS),
    pairs("keras.mixed_precision", {"Policy"}),
)

KERAS2_FUNCTIONS: frozenset[Pair] = frozenset().union(
    pairs("builtins", ACTIVATIONS), pairs("keras.activations", ACTIVATIONS)
)
