// golden/golden.json and preprocessing.json, and the self-test itself: from a golden image to scores, and what is
// off. No Android.
//
//   @SERIALIZATION@   (no compiler plugin is needed)
package resnetedge

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest
import java.util.Locale
import kotlin.math.abs
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.doubleOrNull
import kotlinx.serialization.json.float
import kotlinx.serialization.json.floatOrNull
import kotlinx.serialization.json.int
import kotlinx.serialization.json.intOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

class GoldenImage(val path: String, val sha256: String)

class GoldenFile(
    val path: String,
    val sha256: String,
    val kind: String,
    val threshold: Float?,
    val head: String,
    val thresholds: List<Float>,
    val input: End,
    val output: End,
    val inputsSha256: List<String>,
    val scores: String,
    val scoresSha256: String,
    private val tolerances: Map<String, Double>,
) {
    /** How far a score may be off on a runtime. */
    fun tolerance(runtime: String): Double = tolerances[runtime] ?: tolerances.getValue("default")
}

class Golden(val labels: List<String>, val images: List<GoldenImage>, val files: List<GoldenFile>) {
    fun file(path: String): GoldenFile = files.first { it.path == path }
}

/** A model file that is open. `runtime` is its name in golden.json, `device` what computes. */
interface Model : AutoCloseable {
    val runtime: String
    val device: String

    /** Scores, from the bytes of the input tensor. */
    fun run(tensor: ByteArray): FloatArray
}

/** How to read the bundle here (null: not there); `decode` is what the app does with a photo. */
class Place(val bytes: (String) -> ByteArray?, val decode: (ByteArray) -> Picture)

fun sha256(content: ByteArray): String =
    MessageDigest.getInstance("SHA-256").digest(content).joinToString("") { "%02x".format(it) }

/** What is off with one model file, a line for each image. Throws where there is nothing to compare. */
fun complaints(place: Place, golden: Golden, file: GoldenFile, how: Contract, model: Model): List<String> {
    check(golden.images.isNotEmpty()) { "there is no golden image: nothing was compared" }
    if (place.bytes(file.path)?.let(::sha256) != file.sha256) {
        return listOf("the model file is missing or not the one of the bundle: copy it again")
    }
    val stored = place.bytes(file.scores)
    if (stored == null || sha256(stored) != file.scoresSha256) {
        return listOf("${file.scores} is missing or not the one of the bundle: copy it again")
    }
    val rows = floats(stored)
    val classes = rows.size / golden.images.size
    return golden.images.indices.mapNotNull { i ->
        val wanted = rows.copyOfRange(i * classes, (i + 1) * classes)
        complaint(place, golden.images[i], file, i, how, model, wanted)?.let { "${golden.images[i].path}: $it" }
    }
}

/** Float32, little-endian. */
fun floats(bytes: ByteArray): FloatArray {
    val buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer()
    return FloatArray(buffer.remaining()).also(buffer::get)
}

private fun complaint(
    place: Place, image: GoldenImage, file: GoldenFile, i: Int, how: Contract, model: Model, wanted: FloatArray,
): String? {
    val png = place.bytes(image.path)
    if (png == null || sha256(png) != image.sha256) {
        return "the picture is missing or not the one of the bundle: copy it again"
    }
    // A golden image has the model's size: cropping it would be wrong, and the resize must leave it as it is.
    // What is no photo is an array of samples already.
    val picture = if (how.colour == "samples") Picture(how.width, how.height, file.input.shape[3], png)
    else prepare(place.decode(png), how.copy(fit = "stretch"))
    val tensor = tensorOf(picture, file.input)
    if (sha256(tensor) != file.inputsSha256[i]) {
        return "the INPUT is off: this code makes another tensor of it than it must"
    }
    return scoresOff(model.run(tensor), wanted, file.tolerance(model.runtime), file)
}

/** What is off with the scores of one image; null: nothing. */
fun scoresOff(found: FloatArray, wanted: FloatArray, allowed: Double, file: GoldenFile? = null): String? {
    if (found.size != wanted.size) return "the OUTPUT is off: ${found.size} scores, not ${wanted.size}"
    val apart = found.indices.maxOf { abs(found[it] - wanted[it]) }.toDouble()
    if (!(apart <= allowed)) { // also where it is not a number
        val (far, most) = listOf(apart, allowed).map { "%.3g".format(Locale.ROOT, it) }
        return "the OUTPUT is off: a score by $far, and $most is allowed"
    }
    return if (answers(found, file) == answers(wanted, file)) null else "the OUTPUT is off: the answer is another"
}

/** The class, as a list of one; one score is that of the second of two, and counts from a threshold on. Of several
 *  labels, those that are above their thresholds. Numbers of an embedding have no answer: none. */
fun answers(scores: FloatArray, file: GoldenFile? = null): List<Int> {
    val limits = file?.thresholds ?: emptyList()
    return when (file?.head) {
        "embedding" -> emptyList()
        "multilabel" -> scores.indices.filter { scores[it] > limits[it] }
        "binary" -> listOf(if (scores[0] > limits[0]) 1 else 0)
        else -> listOf(scores.indices.maxBy { scores[it] })
    }
}

/** The best answers: labels and shares of one; of several labels, all that are given, the most likely first. */
fun best(scores: FloatArray, file: GoldenFile, labels: List<String>, count: Int = 3): List<Pair<String, Float>> {
    if (file.head == "embedding") return emptyList() // its numbers are what there is
    val given = answers(scores, file)
    val shares = sharesOf(scores, file)
    if (file.head == "multilabel") return given.sortedBy { -shares[it] }.map { labels[it] to shares[it] }
    val first = given.firstOrNull()
    val order = shares.indices.sortedWith(compareBy({ it != first }, { -shares[it] }))
    return order.take(count).map { labels[it] to shares[it] }
}

private fun sharesOf(scores: FloatArray, file: GoldenFile): FloatArray {
    if (file.head == "multilabel" && file.kind == "logits") {
        return FloatArray(scores.size) { sigmoid(scores[it]) }
    }
    if (file.head == "multilabel") return scores
    if (file.threshold == null) return if (file.kind == "logits") softmax(scores) else scores
    val second = if (file.kind == "logits") sigmoid(scores[0]) else scores[0]
    return floatArrayOf(1 - second, second)
}

/** golden/golden.json. */
fun goldenOf(json: String): Golden {
    val root = Json.parseToJsonElement(json).jsonObject
    return Golden(
        root.list("labels").map(JsonElement::text),
        root.list("images").map { GoldenImage(it.text("path"), it.text("sha256")) },
        root.list("files").map { fileOf(it.jsonObject) },
    )
}

private fun fileOf(file: JsonObject) = GoldenFile(
    path = file.text("file"),
    sha256 = file.text("sha256"),
    kind = file.text("kind"),
    threshold = file.getValue("threshold").jsonPrimitive.floatOrNull,
    head = file.text("head"),
    thresholds = file.list("thresholds").map { it.jsonPrimitive.float },
    input = endOf(file.getValue("input").jsonObject),
    output = endOf(file.getValue("output").jsonObject),
    inputsSha256 = file.list("inputs_sha256").map(JsonElement::text),
    scores = file.text("scores"),
    scoresSha256 = file.text("scores_sha256"),
    tolerances = file.list("tolerances").associate {
        it.text("runtime") to it.jsonObject.getValue("max_abs").jsonPrimitive.double
    },
)

private fun endOf(end: JsonObject) = End(
    end.text("dtype"),
    end.list("shape").map { it.jsonPrimitive.int },
    end.getValue("scale").jsonPrimitive.floatOrNull,
    end.getValue("zero_point").jsonPrimitive.intOrNull ?: 0,
)

/** preprocessing.json. */
fun contractOf(json: String): Contract {
    val root = Json.parseToJsonElement(json).jsonObject
    return Contract(
        root.getValue("height").jsonPrimitive.int,
        root.getValue("width").jsonPrimitive.int,
        root.text("colour"),
        root.text("fit"),
        root.getValue("crop_fraction").jsonPrimitive.double,
        root.text("interpolation"),
        root.getValue("antialias").jsonPrimitive.boolean,
    )
}

private fun JsonElement.text(): String = jsonPrimitive.content

private fun JsonElement.text(name: String): String = jsonObject.getValue(name).text()

private fun JsonObject.list(name: String) = getValue(name).jsonArray
