// A .tflite file in LiteRT's Interpreter, on the CPU.
//
//   @TFLITESWIFT@
//
// That is still what LiteRT's guide for iOS names (developers.google.com/edge/litert/ios/quickstart, November
// 2026). LiteRT's own package for Swift, with CompiledModel, is in its repository, but without the binaries that
// its Package.swift wants (commit f674577).
//
//   let file = golden.files.first { $0.file == "@FILE@" }!
//   let model = try LiteRtModel(file, path: folder.appendingPathComponent(file.file).path)
//   print(try classify(photo, golden, file, how, model))
import Foundation
import TensorFlowLite

final class LiteRtModel: Model {
    let runtime = "litert"
    let device = "CPU"
    private let file: GoldenFile
    private let interpreter: Interpreter

    init(_ file: GoldenFile, path: String, threads: Int = 1) throws {
        self.file = file
        var options = Interpreter.Options()
        options.threadCount = threads
        options.isXNNPackEnabled = true  // with it the file was proved
        interpreter = try Interpreter(modelPath: path, options: options)
        try interpreter.allocateTensors()
    }

    func run(_ tensor: [UInt8]) throws -> [Float] {
        try interpreter.copy(Data(tensor), toInputAt: 0)
        try interpreter.invoke()
        return real([UInt8](try interpreter.output(at: 0).data), file.output)
    }
}
