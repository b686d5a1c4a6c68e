// A photo on iOS as the pixels that Preprocess.swift takes, and what is on it.
import CoreGraphics
import Foundation
import ImageIO

struct NoPhoto: Error {}

/// A JPEG, PNG or HEIC file, turned upright as its EXIF orientation says, as RGBA.
func decode(_ photo: Data) throws -> Picture {
    guard let source = CGImageSourceCreateWithData(photo as CFData, nil),
        let properties = CGImageSourceCopyPropertiesAtIndex(source, 0, nil) as? [CFString: Any],
        let width = properties[kCGImagePropertyPixelWidth] as? Int,
        let height = properties[kCGImagePropertyPixelHeight] as? Int
    else { throw NoPhoto() }
    // A thumbnail of the photo's own size: that is how ImageIO turns a photo upright.
    let options: [CFString: Any] = [
        kCGImageSourceCreateThumbnailFromImageAlways: true,
        kCGImageSourceCreateThumbnailWithTransform: true,
        kCGImageSourceThumbnailMaxPixelSize: max(width, height),
    ]
    guard let image = CGImageSourceCreateThumbnailAtIndex(source, 0, options as CFDictionary) else { throw NoPhoto() }
    return try pictureOf(image)
}

/// The pixels of an upright image. They are drawn in the image's own colour space, so that nothing converts them:
/// the model was proved with unconverted ones.
func pictureOf(_ image: CGImage) throws -> Picture {
    let (width, height) = (image.width, image.height)
    let own = image.colorSpace
    let grey = own?.model == .monochrome
    let space = grey || own?.model == .rgb ? own : CGColorSpace(name: CGColorSpace.sRGB)
    let channels = grey ? 1 : 4
    var pixels = [UInt8](repeating: 0, count: width * height * channels)
    let alpha: CGImageAlphaInfo = grey ? .none : .noneSkipLast
    let drawn = pixels.withUnsafeMutableBytes { memory -> Bool in
        guard let space = space,
            let context = CGContext(
                data: memory.baseAddress, width: width, height: height, bitsPerComponent: 8,
                bytesPerRow: width * channels, space: space, bitmapInfo: alpha.rawValue)
        else { return false }
        context.interpolationQuality = .none
        context.draw(image, in: CGRect(x: 0, y: 0, width: width, height: height))
        return true
    }
    guard drawn else { throw NoPhoto() }
    let rgba = grey ? pixels.flatMap { [$0, $0, $0, 255] } : pixels
    return Picture(width: width, height: height, channels: 4, data: rgba)
}

/// The best three answers for a photo: labels and shares of one.
func classify(
    _ photo: Data, _ golden: Golden, _ file: GoldenFile, _ how: Contract, _ model: Model
) throws -> [(String, Float)] {
    if how.colour == "samples" { throw NoPhoto() }  // preprocessing.json says what this model takes
    let tensor = tensorOf(prepare(try decode(photo), how), file.input)
    return best(try model.run(tensor), file, golden.labels)
}
