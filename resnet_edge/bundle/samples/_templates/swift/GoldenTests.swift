// Runs the golden images of the bundle through its model files on a device or simulator, and says what is off.
//
// Put samples/swift/*.swift and this file into a test target, and the folder of the bundle into its resources as a
// folder reference called "bundle"; or name one: TEST_RUNNER_MODEL_BUNDLE=/path/to/bundle xcodebuild test ...
import Foundation
import XCTest

final class GoldenTests: XCTestCase {
    private func bundleFolder() throws -> URL {
        if let named = ProcessInfo.processInfo.environment["MODEL_BUNDLE"] { return URL(fileURLWithPath: named) }
        let found = Bundle(for: GoldenTests.self).url(forResource: "bundle", withExtension: nil)
        return try XCTUnwrap(found, "FAILED: the bundle is not among the resources of this test")
    }

    /// What opens a file: one for each runtime.
    private func openers(_ file: GoldenFile, _ path: String) -> [() throws -> Model] {
        var found: [() throws -> Model] = []
        if file.file.hasSuffix(".tflite") { found.append { try LiteRtModel(file, path: path) } }  // @tflite
        if file.file.hasSuffix(".onnx") { found.append { try OrtModel(file, path: path) } }  // @onnx
        return found
    }

    func testGoldenImagesGiveWhatTheyMust() throws {
        let folder = try bundleFolder()
        let place = Place(
            bytes: { try? Data(contentsOf: folder.appendingPathComponent($0)) },
            decode: { try decode($0) })
        let goldenJson = try XCTUnwrap(place.bytes("golden/golden.json"), "FAILED: golden/golden.json: copy it again")
        let contractJson = try XCTUnwrap(place.bytes("preprocessing.json"), "FAILED: preprocessing.json: copy it again")
        let golden = try JSONDecoder().decode(Golden.self, from: goldenJson)
        let how = try JSONDecoder().decode(Contract.self, from: contractJson)
        var compared = 0
        for file in golden.files {
            let path = folder.appendingPathComponent(file.file).path
            guard FileManager.default.fileExists(atPath: path) else {
                print("skipped \(file.file): it is not in this app")
                continue
            }
            for open in openers(file, path) {
                try check(place, golden, file, how, try open())
                compared += 1
            }
        }
        XCTAssertGreaterThan(compared, 0, "FAILED: no file could be opened: nothing was compared")
    }

    private func check(
        _ place: Place, _ golden: Golden, _ file: GoldenFile, _ how: Contract, _ model: Model
    ) throws {
        let wrong = try complaints(place, golden, file, how, model)
        let verdict = wrong.isEmpty ? "passed" : "FAILED"
        let line = "\(verdict) \(file.file) on \(model.runtime) (\(model.device)): \(golden.images.count) images"
        print(line)
        XCTAssert(wrong.isEmpty, ([line] + wrong.map { "  \($0)" }).joined(separator: "\n"))
    }
}
