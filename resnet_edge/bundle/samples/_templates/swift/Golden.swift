// golden/golden.json and preprocessing.json, and the self-test itself: from a golden image to scores, and what is
// off. iOS 13, macOS 10.15.
import CryptoKit
import Foundation

struct GoldenImage: Decodable {
    let path: String
    let sha256: String
}

struct Tolerance: Decodable {
    let runtime: String
    let max_abs: Double
}

struct GoldenFile: Decodable {
    let file: String
    let sha256: String
    let kind: String
    let threshold: Float?
    let head: String
    let thresholds: [Float]
    let input: End
    let output: End
    let inputs_sha256: [String]
    let scores: String
    let scores_sha256: String
    let tolerances: [Tolerance]

    /// How far a score may be off on a runtime.
    func tolerance(_ runtime: String) -> Double {
        let found = tolerances.first { $0.runtime == runtime } ?? tolerances.first { $0.runtime == "default" }
        return found?.max_abs ?? 0
    }
}

struct Golden: Decodable {
    let labels: [String]
    let images: [GoldenImage]
    let files: [GoldenFile]
}

/// A model file that is open. `runtime` is its name in golden.json, `device` what computes.
protocol Model {
    var runtime: String { get }
    var device: String { get }

    /// Scores, from the bytes of the input tensor.
    func run(_ tensor: [UInt8]) throws -> [Float]
}

/// How to read the bundle here (nil: not there); `decode` is what the app does with a photo.
struct Place {
    let bytes: (String) -> Data?
    let decode: (Data) throws -> Picture
}

struct NothingToCompare: Error {}

func sha256(_ content: Data) -> String {
    return SHA256.hash(data: content).map { String(format: "%02x", $0) }.joined()
}

/// What is off with one model file, a line for each image. Throws where there is nothing to compare.
func complaints(
    _ place: Place, _ golden: Golden, _ file: GoldenFile, _ how: Contract, _ model: Model
) throws -> [String] {
    guard !golden.images.isEmpty else { throw NothingToCompare() }
    guard let content = place.bytes(file.file), sha256(content) == file.sha256 else {
        return ["the model file is missing or not the one of the bundle: copy it again"]
    }
    guard let stored = place.bytes(file.scores), sha256(stored) == file.scores_sha256 else {
        return ["\(file.scores) is missing or not the one of the bundle: copy it again"]
    }
    let floats = End(dtype: "float32", shape: [], scale: nil, zero_point: nil)
    let rows = real([UInt8](stored), floats)
    let classes = rows.count / golden.images.count
    var lines: [String] = []
    for (i, image) in golden.images.enumerated() {
        let wanted = [Float](rows[(i * classes)..<((i + 1) * classes)])
        if let wrong = try complaint(place, image, file, i, how, model, wanted) {
            lines.append("\(image.path): \(wrong)")
        }
    }
    return lines
}

private func complaint(
    _ place: Place, _ image: GoldenImage, _ file: GoldenFile, _ i: Int, _ how: Contract, _ model: Model,
    _ wanted: [Float]
) throws -> String? {
    guard let png = place.bytes(image.path), sha256(png) == image.sha256 else {
        return "the picture is missing or not the one of the bundle: copy it again"
    }
    // A golden image has the model's size: cropping it would be wrong, and the resize must leave it as it is.
    var whole = how
    whole.fit = "stretch"
    // What is no photo is an array of samples already.
    let picture =
        how.colour == "samples"
        ? Picture(width: how.width, height: how.height, channels: file.input.shape[3], data: [UInt8](png))
        : prepare(try place.decode(png), whole)
    let tensor = tensorOf(picture, file.input)
    if sha256(Data(tensor)) != file.inputs_sha256[i] {
        return "the INPUT is off: this code makes another tensor of it than it must"
    }
    return scoresOff(try model.run(tensor), wanted, file.tolerance(model.runtime), file)
}

/// What is off with the scores of one image; nil: nothing.
func scoresOff(_ found: [Float], _ wanted: [Float], _ allowed: Double, _ file: GoldenFile? = nil) -> String? {
    if found.count != wanted.count { return "the OUTPUT is off: \(found.count) scores, not \(wanted.count)" }
    var apart = 0.0
    for (one, other) in zip(found, wanted) {
        let far = Double(abs(one - other))
        if !(far <= apart) { apart = far }  // also where it is not a number
        if apart.isNaN { break }
    }
    if !(apart <= allowed) {
        let far = String(format: "%.3g", apart)
        return "the OUTPUT is off: a score by \(far), and \(String(format: "%.3g", allowed)) is allowed"
    }
    return answers(found, file) == answers(wanted, file) ? nil : "the OUTPUT is off: the answer is another"
}

/// The class, as a list of one; one score is that of the second of two, and counts from a threshold on. Of several
/// labels, those that are above their thresholds. Numbers of an embedding have no answer: none.
func answers(_ scores: [Float], _ file: GoldenFile? = nil) -> [Int] {
    let limits = file?.thresholds ?? []
    switch file?.head {
    case "embedding": return []
    case "multilabel": return scores.indices.filter { scores[$0] > limits[$0] }
    case "binary": return [scores[0] > limits[0] ? 1 : 0]
    default: return scores.indices.max { scores[$0] < scores[$1] }.map { [$0] } ?? []
    }
}

/// The best answers: labels and shares of one; of several labels, all that are given, the most likely first.
func best(_ scores: [Float], _ file: GoldenFile, _ labels: [String], count: Int = 3) -> [(String, Float)] {
    if file.head == "embedding" { return [] }  // its numbers are what there is
    let given = answers(scores, file)
    let shares = sharesOf(scores, file)
    if file.head == "multilabel" {
        return given.sorted { shares[$0] > shares[$1] }.map { (labels[$0], shares[$0]) }
    }
    let first = given.first
    let order = shares.indices.sorted { $0 == first || ($1 != first && shares[$0] > shares[$1]) }
    return order.prefix(count).map { (labels[$0], shares[$0]) }
}

private func sharesOf(_ scores: [Float], _ file: GoldenFile) -> [Float] {
    if file.head == "multilabel" { return file.kind == "logits" ? scores.map(sigmoid) : scores }
    if file.threshold == nil { return file.kind == "logits" ? softmax(scores) : scores }
    let second = file.kind == "logits" ? sigmoid(scores[0]) : scores[0]
    return [1 - second, second]
}
