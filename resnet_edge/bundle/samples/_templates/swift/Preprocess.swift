// From a photo's pixels to the model's input tensor, and from its output to scores. Foundation alone.
// The pixels are those of Pillow, to the bit: the model was proved with them. What vImage, Core Image or a GPU
// makes of the same photo is another picture, and the model's answers change with it.
import Foundation

/// Bytes row by row, `channels` of them for each pixel: RGBA, RGB, or one of grey.
struct Picture {
    let width: Int
    let height: Int
    let channels: Int
    let data: [UInt8]
}

/// As in preprocessing.json.
struct Contract: Decodable {
    let height: Int
    let width: Int
    let colour: String
    var fit: String
    let crop_fraction: Double
    let interpolation: String
    let antialias: Bool
}

/// A tensor, as in golden/golden.json.
struct End: Decodable {
    let dtype: String
    let shape: [Int]
    let scale: Float?
    let zero_point: Int?
}

private let bits = 22  // Pillow's PRECISION_BITS, 32 - 8 - 2

private func byte(_ value: Int) -> UInt8 {
    return UInt8(max(0, min(255, value)))
}

/// An upright RGBA picture as the model takes it: colour, crop, resize. Transparency is dropped.
func prepare(_ rgba: Picture, _ how: Contract) -> Picture {
    let picture = crop(how.colour == "grey" ? grey(rgba) : rgb(rgba), how)
    if how.interpolation == "nearest" { return nearest(picture, how) }
    return how.antialias ? antialiased(picture, how) : plain(picture, how)
}

private func rgb(_ p: Picture) -> Picture {
    var out = [UInt8](repeating: 0, count: p.width * p.height * 3)
    for i in 0..<out.count { out[i] = p.data[i / 3 * p.channels + i % 3] }
    return Picture(width: p.width, height: p.height, channels: 3, data: out)
}

/// ITU-R BT.601, in Pillow's fixed point.
private func grey(_ p: Picture) -> Picture {
    var out = [UInt8](repeating: 0, count: p.width * p.height)
    for i in 0..<out.count {
        let from = i * p.channels
        let sum = 19595 * Int(p.data[from]) + 38470 * Int(p.data[from + 1]) + 7471 * Int(p.data[from + 2])
        out[i] = UInt8((sum + 0x8000) >> 16)
    }
    return Picture(width: p.width, height: p.height, channels: 1, data: out)
}

private func crop(_ p: Picture, _ how: Contract) -> Picture {
    if how.fit != "crop" { return p }
    let side = max(1, Int(how.crop_fraction * Double(min(p.width, p.height)) + 0.5))
    let left = (p.width - side) / 2
    let top = (p.height - side) / 2
    let row = side * p.channels
    var out = [UInt8](repeating: 0, count: side * row)
    for y in 0..<side {
        let start = ((top + y) * p.width + left) * p.channels
        for x in 0..<row { out[y * row + x] = p.data[start + x] }
    }
    return Picture(width: side, height: side, channels: p.channels, data: out)
}

/// The triangle, or the cubic of Keys with a = -0.5.
private func weight(_ name: String, _ at: Double) -> Double {
    let x = abs(at)
    if name == "bilinear" { return max(0.0, 1.0 - x) }
    if x < 1.0 { return (1.5 * x - 2.5) * x * x + 1.0 }
    return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5 : 0.0
}

/// The first pixel that goes into an output, and weights that sum to one; `fixed` in 22-bit fixed point.
private struct Taps {
    let first: Int
    let weights: [Double]
    let fixed: [Int]
}

/// For each of `wanted` outputs along an axis of `size` pixels.
private func taps(_ size: Int, _ wanted: Int, _ name: String, _ antialias: Bool) -> [Taps] {
    let step = Double(size) / Double(wanted)
    let wide = antialias ? max(1.0, step) : 1.0
    let support = (name == "bilinear" ? 1.0 : 2.0) * wide
    var found: [Taps] = []
    for i in 0..<wanted {
        let centre = (Double(i) + 0.5) * step
        let first = max(0, Int(centre - support + 0.5))
        let end = min(size, Int(centre + support + 0.5))
        let raw = (first..<end).map { weight(name, (Double($0) - centre + 0.5) * (1.0 / wide)) }
        let sum = raw.reduce(0.0, +)
        let weights = raw.map { $0 / sum }
        let fixed = weights.map { Int($0 * Double(1 << bits) + ($0 < 0.0 ? -0.5 : 0.5)) }
        found.append(Taps(first: first, weights: weights, fixed: fixed))
    }
    return found
}

/// Pillow's resize: across and down, each in fixed point and rounded to bytes. Tall photos go down first (Pillow
/// 13; before, none did, and a level here and there came out otherwise).
private func antialiased(_ p: Picture, _ how: Contract) -> Picture {
    let downFirst = p.height > how.height && p.height - how.height > 2 * (p.width - how.width)
    return downFirst ? across(down(p, how), how) : down(across(p, how), how)
}

private func across(_ p: Picture, _ how: Contract) -> Picture {
    var out = [UInt8](repeating: 0, count: how.width * p.height * p.channels)
    let columns = taps(p.width, how.width, how.interpolation, true)
    for x in 0..<how.width {
        let tap = columns[x]
        for y in 0..<p.height {
            for c in 0..<p.channels {
                var sum = 1 << (bits - 1)
                for k in 0..<tap.fixed.count {
                    sum += Int(p.data[(y * p.width + tap.first + k) * p.channels + c]) * tap.fixed[k]
                }
                out[(y * how.width + x) * p.channels + c] = byte(sum >> bits)
            }
        }
    }
    return Picture(width: how.width, height: p.height, channels: p.channels, data: out)
}

private func down(_ p: Picture, _ how: Contract) -> Picture {
    let row = p.width * p.channels
    var out = [UInt8](repeating: 0, count: row * how.height)
    let rows = taps(p.height, how.height, how.interpolation, true)
    for y in 0..<how.height {
        let tap = rows[y]
        for x in 0..<row {
            var sum = 1 << (bits - 1)
            for k in 0..<tap.fixed.count { sum += Int(p.data[(tap.first + k) * row + x]) * tap.fixed[k] }
            out[y * row + x] = byte(sum >> bits)
        }
    }
    return Picture(width: p.width, height: how.height, channels: p.channels, data: out)
}

/// The nearest two (bilinear) or four (bicubic) pixels each way alone, rounded once, half up.
private func plain(_ p: Picture, _ how: Contract) -> Picture {
    let rows = taps(p.height, how.height, how.interpolation, false)
    let columns = taps(p.width, how.width, how.interpolation, false)
    var out: [UInt8] = []
    for down in rows {
        for tap in columns {
            for c in 0..<p.channels {
                var sum = 0.0
                for j in 0..<down.weights.count {
                    for k in 0..<tap.weights.count {
                        let level = p.data[((down.first + j) * p.width + tap.first + k) * p.channels + c]
                        sum += down.weights[j] * tap.weights[k] * Double(level)
                    }
                }
                // Nine decimals first: a tie must not fall to the side that a sum's last bit is on.
                let mean = (sum * 1e9).rounded(.toNearestOrEven) / 1e9
                out.append(byte(Int((mean + 0.5).rounded(.down))))
            }
        }
    }
    return Picture(width: how.width, height: how.height, channels: p.channels, data: out)
}

private func nearest(_ p: Picture, _ how: Contract) -> Picture {
    let across = Double(p.width) / Double(how.width)
    let step = Double(p.height) / Double(how.height)
    var out: [UInt8] = []
    var y = step / 2.0
    for _ in 0..<how.height {
        var x = across / 2.0
        for _ in 0..<how.width {
            let from = (Int(y) * p.width + Int(x)) * p.channels
            for c in 0..<p.channels { out.append(p.data[from + c]) }
            x += across  // Pillow adds the step up, and so the rounding errors too.
        }
        y += step
    }
    return Picture(width: how.width, height: how.height, channels: p.channels, data: out)
}

/// The bytes of the input tensor, as the file stores it: little-endian. Grey goes into all channels.
func tensorOf(_ picture: Picture, _ end: End) -> [UInt8] {
    let wanted = end.shape[3]
    let count = picture.width * picture.height * wanted
    var out: [UInt8] = []
    for i in 0..<count {
        let level = picture.data[picture.channels == 1 ? i / wanted : i]
        if end.dtype == "float32" {
            let pattern = Float(level).bitPattern
            for shift in [0, 8, 16, 24] { out.append(UInt8((pattern >> UInt32(shift)) & 255)) }
        } else {
            out.append(stored(level, end))
        }
    }
    return out
}

/// A pixel on the grid of the tensor; ties go to even, as in the converter.
private func stored(_ level: UInt8, _ end: End) -> UInt8 {
    guard let scale = end.scale else { return level }
    let value = Int((Float(level) / scale).rounded(.toNearestOrEven)) + (end.zero_point ?? 0)
    if end.dtype == "int8" { return UInt8(bitPattern: Int8(max(-128, min(127, value)))) }
    return byte(value)
}

/// The bytes of an output tensor as numbers.
func real(_ bytes: [UInt8], _ end: End) -> [Float] {
    if end.dtype == "float32" {
        return (0..<(bytes.count / 4)).map { i in
            let pattern = (0..<4).reduce(UInt32(0)) { $0 | (UInt32(bytes[4 * i + $1]) << UInt32(8 * $1)) }
            return Float(bitPattern: pattern)
        }
    }
    return bytes.map { one in
        let value = end.dtype == "int8" ? Int(Int8(bitPattern: one)) : Int(one)
        return Float(value - (end.zero_point ?? 0)) * (end.scale ?? 1)
    }
}

/// The share of the second of two classes from its logit.
func sigmoid(_ logit: Float) -> Float {
    return Float(1 / (1 + exp(-Double(logit))))
}

/// Shares of one from logits.
func softmax(_ scores: [Float]) -> [Float] {
    let most = scores.max() ?? 0
    let powers = scores.map { exp(Double($0 - most)) }
    let sum = powers.reduce(0.0, +)
    return powers.map { Float($0 / sum) }
}
