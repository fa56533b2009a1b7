import ffmpeg, { type FfmpegCommand } from "fluent-ffmpeg";
import { Failure } from "../core/errors.ts";

/** A call of ffmpeg as typed parts. No part comes from a client: files are constants of the sandbox. */
export interface FfmpegRecipe {
  globalOptions: readonly string[];
  inputs: readonly { options: readonly string[]; file: string }[];
  filterGraph?: string;
  outputs: readonly { options: readonly string[]; file: string }[];
}

/** fluent-ffmpeg's own assembly, which its types leave out. */
interface Assembler {
  _getArguments(): string[];
}

/** Where a recipe may write: a file in the sandbox, or its standard output. */
export const STDOUT = "pipe:1";

/**
 * The argument array of a recipe. fluent-ffmpeg assembles it; what it assembled must equal the recipe
 * element for element, since it splits and rewrites some strings (docs/decisions/fluent-ffmpeg.md).
 */
export function assemble(recipe: FfmpegRecipe): string[] {
  const command = ffmpeg();
  recipe.inputs.forEach((input, index) => {
    const options = [...(index === 0 ? recipe.globalOptions : []), ...input.options];
    command.input(input.file);
    // As separate arguments: from an array it would split every option that holds one space.
    if (options.length > 0) command.inputOptions(...options);
  });
  if (recipe.filterGraph !== undefined) command.complexFilter(recipe.filterGraph);
  for (const output of recipe.outputs) {
    command.output(output.file);
    if (output.options.length > 0) command.outputOptions(...output.options);
  }
  const assembled = (command as FfmpegCommand & Assembler)._getArguments();
  const expected = template(recipe);
  if (
    assembled.length !== expected.length ||
    assembled.some((argument, index) => argument !== expected[index])
  ) {
    throw new Failure("ours", "internal", "An ffmpeg call was not assembled as its recipe says.");
  }
  return assembled;
}

function template(recipe: FfmpegRecipe): string[] {
  return [
    ...recipe.globalOptions,
    ...recipe.inputs.flatMap((input) => [...input.options, "-i", input.file]),
    // Overwrite: the directory is this attempt's own.
    ...(recipe.outputs.some((output) => output.file !== STDOUT) ? ["-y"] : []),
    ...(recipe.filterGraph === undefined ? [] : ["-filter_complex", recipe.filterGraph]),
    ...recipe.outputs.flatMap((output) => [...output.options, output.file]),
  ];
}
