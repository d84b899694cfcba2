import jsQR from 'jsqr';
import { describe, expect, it } from 'vitest';
import { renderQrCode } from '../../src/output/qr-code.ts';
import { colours, type Paint } from '../../src/output/style.ts';

const URL = 'http://127.0.0.1:8080/realms/sample/device?user_code=ABCD-EFGH';
const plain = await colours({}, false);

/** The drawing at 80 columns. */
const draw = (paint: Paint) => renderQrCode(URL, paint, 80) ?? expect.fail('nothing was drawn');

/** What a camera reads off a terminal with light text on dark. */
function scan(drawing: string): string | undefined {
  const rows = drawing
    .split('\n')
    .flatMap((line) => [
      [...line].map((character) => '█▀'.includes(character)),
      [...line].map((character) => '█▄'.includes(character)),
    ]);
  const scale = 4;
  const width = (rows[0]?.length ?? 0) * scale;
  const height = rows.length * scale;
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const isLight = rows[Math.floor(y / scale)]?.[Math.floor(x / scale)];
      pixels.fill(isLight ? 255 : 0, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  return jsQR.default(pixels, width, height)?.data;
}

describe('a QR code', () => {
  it('reads as the text that it was drawn from', () => {
    expect(scan(draw(plain))).toBe(URL);
  });

  it('names its own colours, so that a light terminal does not turn it round', async () => {
    const paint = await colours({}, true);
    const lines = draw(paint).split('\n');
    expect(lines).toHaveLength(draw(plain).split('\n').length);
    for (const line of lines) expect(line.startsWith('\u001b[97m\u001b[40m')).toBe(true);
  });

  it('is left out where the terminal is too narrow for it', () => {
    const drawing = draw(plain);
    const width = drawing.indexOf('\n');
    expect(renderQrCode(URL, plain, width)).toBe(drawing);
    expect(renderQrCode(URL, plain, width - 1)).toBeUndefined();
  });
});
