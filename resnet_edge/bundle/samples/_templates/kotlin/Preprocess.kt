// From a photo's pixels to the model's input tensor, and from its output to scores. No Android, no dependency.
// The pixels are those of Pillow, to the bit: the model was proved with them. What Bitmap.createScaledBitmap or a
// GPU makes of the same photo is another picture, and the model's answers change with it.
package resnetedge

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min
import kotlin.math.round

/** Bytes row by row, `channels` of them for each pixel: RGBA, RGB, or one of grey. */
class Picture(val width: Int, val height: Int, val channels: Int, val data: ByteArray)

/** As in preprocessing.json. */
data class Contract(
    val height: Int,
    val width: Int,
    val colour: String,
    val fit: String,
    val cropFraction: Double,
    val interpolation: String,
    val antialias: Boolean,
)

/** A tensor, as in golden/golden.json. */
class End(val dtype: String, val shape: List<Int>, val scale: Float?, val zeroPoint: Int)

private const val BITS = 22 // Pillow's PRECISION_BITS, 32 - 8 - 2

private fun ByteArray.at(index: Int): Int = this[index].toInt() and 255

private fun byte(value: Int): Byte = max(0, min(255, value)).toByte()

/** An upright RGBA picture as the model takes it: colour, crop, resize. Transparency is dropped. */
fun prepare(rgba: Picture, how: Contract): Picture {
    val picture = crop(if (how.colour == "grey") grey(rgba) else rgb(rgba), how)
    if (how.interpolation == "nearest") return nearest(picture, how)
    return if (how.antialias) antialiased(picture, how) else plain(picture, how)
}

private fun rgb(p: Picture): Picture {
    val out = ByteArray(p.width * p.height * 3)
    for (i in out.indices) out[i] = p.data[i / 3 * p.channels + i % 3]
    return Picture(p.width, p.height, 3, out)
}

/** ITU-R BT.601, in Pillow's fixed point. */
private fun grey(p: Picture): Picture {
    val out = ByteArray(p.width * p.height)
    for (i in out.indices) {
        val from = i * p.channels
        val sum = 19595 * p.data.at(from) + 38470 * p.data.at(from + 1) + 7471 * p.data.at(from + 2)
        out[i] = (sum + 0x8000 shr 16).toByte()
    }
    return Picture(p.width, p.height, 1, out)
}

private fun crop(p: Picture, how: Contract): Picture {
    if (how.fit != "crop") return p
    val side = max(1, floor(how.cropFraction * min(p.width, p.height) + 0.5).toInt())
    val left = (p.width - side) / 2
    val top = (p.height - side) / 2
    val row = side * p.channels
    val out = ByteArray(side * row)
    for (y in 0 until side) {
        val start = ((top + y) * p.width + left) * p.channels
        p.data.copyInto(out, y * row, start, start + row)
    }
    return Picture(side, side, p.channels, out)
}

/** The triangle, or the cubic of Keys with a = -0.5. */
private fun weight(name: String, at: Double): Double {
    val x = abs(at)
    if (name == "bilinear") return max(0.0, 1 - x)
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1
    return if (x < 2) (((x - 5) * x + 8) * x - 4) * -0.5 else 0.0
}

/** The first pixel that goes into an output, and weights that sum to one. */
private class Taps(val first: Int, val weights: DoubleArray) {
    val fixed = IntArray(weights.size) { (weights[it] * (1 shl BITS) + if (weights[it] < 0) -0.5 else 0.5).toInt() }
}

/** For each of `wanted` outputs along an axis of `size` pixels. */
private fun taps(size: Int, wanted: Int, name: String, antialias: Boolean): List<Taps> {
    val step = size.toDouble() / wanted
    val wide = if (antialias) max(1.0, step) else 1.0
    val support = (if (name == "bilinear") 1 else 2) * wide
    return List(wanted) { i ->
        val centre = (i + 0.5) * step
        val first = max(0, (centre - support + 0.5).toInt())
        val end = min(size, (centre + support + 0.5).toInt())
        val weights = DoubleArray(end - first) { weight(name, (it + first - centre + 0.5) * (1 / wide)) }
        val sum = weights.sum()
        Taps(first, DoubleArray(weights.size) { weights[it] / sum })
    }
}

/** Pillow's resize: across and down, each in 22-bit fixed point and rounded to bytes. Tall photos go down first
 * (Pillow 13; before, none did, and a level here and there came out otherwise). */
private fun antialiased(p: Picture, how: Contract): Picture {
    val downFirst = p.height > how.height && p.height - how.height > 2 * (p.width - how.width)
    return if (downFirst) across(down(p, how), how) else down(across(p, how), how)
}

private fun across(p: Picture, how: Contract): Picture {
    val out = ByteArray(how.width * p.height * p.channels)
    for ((x, tap) in taps(p.width, how.width, how.interpolation, true).withIndex()) {
        for (y in 0 until p.height) for (c in 0 until p.channels) {
            var sum = 1 shl (BITS - 1)
            for ((k, w) in tap.fixed.withIndex()) sum += p.data.at((y * p.width + tap.first + k) * p.channels + c) * w
            out[(y * how.width + x) * p.channels + c] = byte(sum shr BITS)
        }
    }
    return Picture(how.width, p.height, p.channels, out)
}

private fun down(p: Picture, how: Contract): Picture {
    val row = p.width * p.channels
    val out = ByteArray(row * how.height)
    for ((y, tap) in taps(p.height, how.height, how.interpolation, true).withIndex()) {
        for (x in 0 until row) {
            var sum = 1 shl (BITS - 1)
            for ((k, w) in tap.fixed.withIndex()) sum += p.data.at((tap.first + k) * row + x) * w
            out[y * row + x] = byte(sum shr BITS)
        }
    }
    return Picture(p.width, how.height, p.channels, out)
}

/** The nearest two (bilinear) or four (bicubic) pixels each way alone, rounded once, half up. */
private fun plain(p: Picture, how: Contract): Picture {
    val columns = taps(p.width, how.width, how.interpolation, false)
    val out = ByteArray(how.width * how.height * p.channels)
    var at = 0
    for (down in taps(p.height, how.height, how.interpolation, false)) {
        for (tap in columns) for (c in 0 until p.channels) {
            var sum = 0.0
            for ((j, v) in down.weights.withIndex()) for ((k, w) in tap.weights.withIndex()) {
                sum += v * w * p.data.at(((down.first + j) * p.width + tap.first + k) * p.channels + c)
            }
            // Nine decimals first: a tie must not fall to the side that a sum's last bit is on.
            out[at++] = byte(floor(round(sum * 1e9) / 1e9 + 0.5).toInt())
        }
    }
    return Picture(how.width, how.height, p.channels, out)
}

private fun nearest(p: Picture, how: Contract): Picture {
    val out = ByteArray(how.width * how.height * p.channels)
    val across = p.width.toDouble() / how.width
    val step = p.height.toDouble() / how.height
    var at = 0
    var y = step / 2
    repeat(how.height) {
        var x = across / 2
        repeat(how.width) {
            val from = (y.toInt() * p.width + x.toInt()) * p.channels
            for (c in 0 until p.channels) out[at++] = p.data[from + c]
            x += across // Pillow adds the step up, and so the rounding errors too.
        }
        y += step
    }
    return Picture(how.width, how.height, p.channels, out)
}

/** The bytes of the input tensor, as the file stores it: little-endian. Grey goes into all channels. */
fun tensorOf(picture: Picture, end: End): ByteArray {
    val wanted = end.shape[3]
    val values = FloatArray(picture.width * picture.height * wanted) {
        picture.data.at(if (picture.channels == 1) it / wanted else it).toFloat()
    }
    if (end.dtype == "float32") {
        val out = ByteBuffer.allocate(4 * values.size).order(ByteOrder.LITTLE_ENDIAN)
        values.forEach(out::putFloat)
        return out.array()
    }
    val limits = if (end.dtype == "int8") -128..127 else 0..255
    return ByteArray(values.size) {
        // round() takes ties to even, as the converter does.
        val stored = if (end.scale == null) values[it].toInt() else round(values[it] / end.scale).toInt() + end.zeroPoint
        stored.coerceIn(limits).toByte()
    }
}

/** The bytes of an output tensor as numbers. */
fun real(stored: ByteArray, end: End): FloatArray {
    if (end.dtype == "float32") {
        val floats = ByteBuffer.wrap(stored).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer()
        return FloatArray(floats.remaining()).also(floats::get)
    }
    return FloatArray(stored.size) {
        val value = if (end.dtype == "int8") stored[it].toInt() else stored.at(it)
        if (end.scale == null) value.toFloat() else (value - end.zeroPoint) * end.scale
    }
}

/** The share of the second of two classes from its logit. */
fun sigmoid(logit: Float): Float = (1 / (1 + exp(-logit.toDouble()))).toFloat()

/** Shares of one from logits. */
fun softmax(scores: FloatArray): FloatArray {
    val most = scores.max()
    val powers = DoubleArray(scores.size) { exp((scores[it] - most).toDouble()) }
    val sum = powers.sum()
    return FloatArray(scores.size) { (powers[it] / sum).toFloat() }
}
