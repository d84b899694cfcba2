import { UsageError } from '../errors.ts';

/**
 * Writes a file that only its owner may read, completely or not at all.
 * @throws UsageError `file_exists` unless it may be overwritten; `file_unwritable`
 */
export async function writeSecretFile(
  path: string,
  text: string,
  options: { overwrite: boolean },
): Promise<void> {
  try {
    if (options.overwrite) {
      const { default: writeFileAtomic } = await import('write-file-atomic');
      await writeFileAtomic(path, text, { mode: 0o600 });
      return;
    }
    const { writeFile } = await import('node:fs/promises');
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      throw new UsageError('file_exists', `${path} already exists`, {
        hint: 'Name another file, or replace it with --force.',
        cause,
      });
    }
    throw new UsageError('file_unwritable', `${path} cannot be written: ${message}`, { cause });
  }
}
