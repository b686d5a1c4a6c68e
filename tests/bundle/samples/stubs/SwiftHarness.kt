// Runs what swift_to_kotlin.py makes of Preprocess.swift: each line of a file names a photo, its width and height,
// the contract, and the tensor.
package transliterated

import java.io.File

fun main(words: Array<String>) = File(words[0]).readLines().forEach { line ->
    val (path, width, height) = line.split(" ")
    val (how, end) = line.split(" ").drop(3).let { it.take(7) to it.drop(7) }
    val contract = Contract(
        how[0].toInt(), how[1].toInt(), how[2], how[3], how[4].toDouble(), how[5], how[6].toBooleanStrict(),
    )
    val rgba = Picture(width.toInt(), height.toInt(), 4, File("$path.rgba").readBytes().map(Byte::toUByte))
    val picture = prepare(rgba, contract)
    val shape = listOf(1, picture.height, picture.width, end[1].toInt())
    val tensor = tensorOf(picture, End(end[0], shape, end[2].toFloatOrNull(), end[3].toIntOrNull()))
    File("$path.out").writeBytes((picture.data + tensor).map(UByte::toByte).toByteArray())
}
