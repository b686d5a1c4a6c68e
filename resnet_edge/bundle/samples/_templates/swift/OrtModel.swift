// An .onnx file in ONNX Runtime, on the CPU.
//
//   @ORTSWIFT@
//
// or pod 'onnxruntime-objc', whose module is called onnxruntime_objc.
//
//   let file = golden.files.first { $0.file == "@FILE@" }!
//   let model = try OrtModel(file, path: folder.appendingPathComponent(file.file).path)
//   print(try classify(photo, golden, file, how, model))
import Foundation
import OnnxRuntimeBindings

struct NoScores: Error {}

final class OrtModel: Model {
    let runtime = "onnxruntime"
    let device = "CPU"
    private let file: GoldenFile
    private let environment: ORTEnv
    private let session: ORTSession
    private let input: String
    private let output: String

    init(_ file: GoldenFile, path: String) throws {
        self.file = file
        environment = try ORTEnv(loggingLevel: .warning)
        session = try ORTSession(env: environment, modelPath: path, sessionOptions: try ORTSessionOptions())
        guard let image = try session.inputNames().first, let scores = try session.outputNames().first else {
            throw NoScores()
        }
        (input, output) = (image, scores)
    }

    func run(_ tensor: [UInt8]) throws -> [Float] {
        let types: [String: ORTTensorElementDataType] = ["float32": .float, "int8": .int8, "uint8": .uInt8]
        guard let type = types[file.input.dtype] else { throw NoScores() }
        let shape = file.input.shape.map { NSNumber(value: $0) }
        let value = try ORTValue(tensorData: NSMutableData(data: Data(tensor)), elementType: type, shape: shape)
        let found = try session.run(withInputs: [input: value], outputNames: [output], runOptions: nil)
        guard let scores = found[output] else { throw NoScores() }
        return real([UInt8](try scores.tensorData() as Data), file.output)
    }
}
