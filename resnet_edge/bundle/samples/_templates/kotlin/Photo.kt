// A photo on Android (API 28) as the pixels that Preprocess.kt takes, and what is on it.
package resnetedge

import android.graphics.Bitmap
import android.graphics.ImageDecoder
import java.nio.ByteBuffer

/** A JPEG, PNG, WebP or HEIF file, turned upright as its EXIF orientation says, as RGBA. */
fun decode(photo: ByteArray): Picture {
    val source = ImageDecoder.createSource(ByteBuffer.wrap(photo))
    val bitmap = ImageDecoder.decodeBitmap(source) { decoder, _, _ ->
        decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE // a hardware bitmap gives no pixels away
        decoder.isUnpremultipliedRequired = true
    }
    return pictureOf(bitmap)
}

/** The pixels of an upright bitmap as they are stored. Not by getPixels(), which converts them to sRGB: the model
 * was proved with unconverted ones. */
fun pictureOf(bitmap: Bitmap): Picture {
    val plain = if (bitmap.config == Bitmap.Config.ARGB_8888) bitmap else bitmap.copy(Bitmap.Config.ARGB_8888, false)
    check(plain.rowBytes == 4 * plain.width) { "the rows of this bitmap are padded: copy it first" }
    val pixels = ByteBuffer.allocate(plain.rowBytes * plain.height)
    plain.copyPixelsToBuffer(pixels) // ARGB_8888 lies in memory as R, G, B, A
    return Picture(plain.width, plain.height, 4, pixels.array())
}

/** The best three answers for a photo: labels and shares of one. */
fun classify(photo: ByteArray, golden: Golden, file: GoldenFile, how: Contract, model: Model): List<Pair<String, Float>> {
    check(how.colour != "samples") { "this model takes no photos: preprocessing.json says what it takes" }
    return best(model.run(tensorOf(prepare(decode(photo), how), file.input)), file, golden.labels)
}
