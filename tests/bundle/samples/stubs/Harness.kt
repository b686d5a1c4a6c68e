// Runs the samples' own code on a JVM: the preprocessing of photos, and the self-test with scores out of a file.
package resnetedge

import java.io.File
import javax.imageio.ImageIO

fun main(words: Array<String>) = when (words[0]) {
    "prepare" -> File(words[1]).readLines().forEach { prepared(it.split(" ")) }
    else -> selftest(File(words[1]), words[2], words[3])
}

private fun prepared(words: List<String>) {
    val (path, width, height) = words
    val rgba = Picture(width.toInt(), height.toInt(), 4, File("$path.rgba").readBytes())
    File("$path.out").writeBytes(prepare(rgba, contractOf(File("$path.json").readText())).data)
}

/** As decode() in Photo.kt, which needs Android. */
private fun decodedPng(png: ByteArray): Picture {
    val raster = ImageIO.read(png.inputStream()).raster
    val data = ByteArray(raster.width * raster.height * 4) {
        val band = if (raster.numBands < 3) 0 else minOf(it % 4, raster.numBands - 1)
        raster.getSample(it / 4 % raster.width, it / 4 / raster.width, band).toByte()
    }
    return Picture(raster.width, raster.height, 4, data)
}

/** A runtime that gives the output tensors of a file, one after the other. */
private class Recorded(private val file: GoldenFile, override val runtime: String, outputs: File) : Model {
    override val device = "a file"
    private val rows = outputs.readLines().iterator()

    override fun run(tensor: ByteArray): FloatArray =
        real(rows.next().chunked(2) { it.toString().toInt(16).toByte() }.toByteArray(), file.output)

    override fun close() = Unit
}

private fun selftest(bundle: File, path: String, runtime: String) {
    val place = Place({ name -> File(bundle, name).takeIf(File::exists)?.readBytes() }, ::decodedPng)
    val golden = goldenOf(File(bundle, "golden/golden.json").readText())
    val how = contractOf(File(bundle, "preprocessing.json").readText())
    val file = golden.file(path)
    val lines = try {
        Recorded(file, runtime, File(bundle, "outputs.txt")).use { complaints(place, golden, file, how, it) }
    } catch (error: IllegalStateException) {
        listOf("FAILED: ${error.message}")
    }
    lines.forEach(::println)
    val scores = floats(checkNotNull(place.bytes(file.scores)))
    val first = scores.copyOf(scores.size / maxOf(1, golden.images.size))
    println(best(first, file, golden.labels).joinToString { "%s %.6f".format(it.first, it.second) })
}
