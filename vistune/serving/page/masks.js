// Masks: COCO's run lengths (down the columns, zeros first), a free shape as a mask, and masks as samples hold them.

export function polygonMask(points, width, height) {
  const canvas = new OffscreenCanvas(width, height), pen = canvas.getContext("2d");
  pen.beginPath();
  points.forEach(([x, y], index) => pen[index ? "lineTo" : "moveTo"](x * width, y * height));
  pen.closePath();
  pen.fill();
  const pixels = pen.getImageData(0, 0, width, height).data;
  return runLengths((x, y) => pixels[4 * (y * width + x) + 3] > 127, width, height);
}

export function runLengths(inside, width, height) {
  const counts = [];
  let run = 0, value = false;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if (inside(x, y) !== value) {
        counts.push(run);
        run = 0;
        value = !value;
      }
      run++;
    }
  }
  counts.push(run);
  return { size: [height, width], counts };
}

// Calls `each(x, y)` for every pixel that is set.
export function eachPixel(mask, each) {
  const [height] = mask.size;
  let place = 0;
  mask.counts.forEach((count, index) => {
    if (index % 2) for (let i = place; i < place + count; i++) each(Math.floor(i / height), i % height);
    place += count;
  });
}

export function bounds(mask) {
  const [height, width] = mask.size;
  let [x1, y1, x2, y2] = [width, height, 0, 0];
  eachPixel(mask, (x, y) => {
    [x1, y1, x2, y2] = [Math.min(x1, x), Math.min(y1, y), Math.max(x2, x + 1), Math.max(y2, y + 1)];
  });
  return x1 < x2 ? [x1 / width, y1 / height, x2 / width, y2 / height] : null;
}

// A sample holds a mask's bits, row by row, as a packed NPY array in base64.
export function toSample(mask) {
  const [height, width] = mask.size, bits = new Uint8Array(Math.ceil(height * width / 8));
  eachPixel(mask, (x, y) => {
    const place = y * width + x;
    bits[place >> 3] |= 128 >> (place & 7);
  });
  const words = `{'descr': '|u1', 'fortran_order': False, 'shape': (${bits.length},), }`;
  const header = words.padEnd(64 * Math.ceil((words.length + 11) / 64) - 11) + "\n";
  const bytes = new Uint8Array(10 + header.length + bits.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(bits, 10 + header.length);
  return { mask: base64(bytes), size: [height, width] };
}

export function fromSample({ mask, size: [height, width] }) {
  const bytes = Uint8Array.from(atob(mask), (letter) => letter.charCodeAt(0)), start = 10 + bytes[8] + 256 * bytes[9];
  return runLengths((x, y) => {
    const place = y * width + x;
    return Boolean(bytes[start + (place >> 3)] & (128 >> (place & 7)));
  }, width, height);
}

export function base64(bytes) {
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192) text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  return btoa(text);
}
