// Runs a fragment shader on textures; the pixels' bytes in base 64, null without WebGL2 or pictures of floats.
([fragment, levels, codes, layers, weights, queries, [width, height]]) => {
  const decode = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const gl = document.createElement('canvas').getContext('webgl2');
  if (!gl || !gl.getExtension('EXT_color_buffer_float')) return null;
  const shader = (kind, source) => {
    const made = gl.createShader(kind);
    gl.shaderSource(made, source);
    gl.compileShader(made);
    if (!gl.getShaderParameter(made, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(made));
    return made;
  };
  const program = gl.createProgram();
  const corners = '#version 300 es\nvoid main() {'
    + 'gl_Position = vec4(float(gl_VertexID & 1) * 4. - 1., float(gl_VertexID & 2) * 2. - 1., 0., 1.); }';
  gl.attachShader(program, shader(gl.VERTEX_SHADER, corners));
  gl.attachShader(program, shader(gl.FRAGMENT_SHADER, fragment));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  gl.useProgram(program);
  const texture = (unit, kind, name) => {
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(kind, gl.createTexture());
    gl.texParameteri(kind, gl.TEXTURE_MIN_FILTER, gl.NEAREST_MIPMAP_NEAREST);
    gl.texParameteri(kind, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.uniform1i(gl.getUniformLocation(program, name), unit);
  };
  texture(0, gl.TEXTURE_2D_ARRAY, 'vd_latents');
  gl.texStorage3D(gl.TEXTURE_2D_ARRAY, levels.length, codes ? gl.RGBA8 : gl.RGBA16F, levels[0][0], levels[0][1], layers);
  levels.forEach(([w, h, text], level) => {
    const bytes = decode(text);
    const [kind, texels] = codes ? [gl.UNSIGNED_BYTE, bytes] : [gl.HALF_FLOAT, new Uint16Array(bytes.buffer)];
    gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, level, 0, 0, 0, w, h, layers, gl.RGBA, kind, texels);
  });
  const numbers = (unit, name, w, h, text) => {
    texture(unit, gl.TEXTURE_2D, name);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, w, h);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, w, h, gl.RGBA, gl.FLOAT, new Float32Array(decode(text).buffer));
  };
  if (weights) numbers(1, 'vd_weights', ...weights);
  numbers(2, 'asked', ...queries);
  gl.activeTexture(gl.TEXTURE3);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, width, height);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  const picture = gl.getParameter(gl.TEXTURE_BINDING_2D);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, picture, 0);
  gl.viewport(0, 0, width, height);
  gl.drawArrays(gl.TRIANGLES, 0, 3);
  const pixels = new Float32Array(4 * width * height);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, pixels);
  if (gl.getError()) throw new Error('WebGL error');
  const bytes = new Uint8Array(pixels.buffer);
  let text = '';
  for (let k = 0; k < bytes.length; k += 32768) text += String.fromCharCode(...bytes.subarray(k, k + 32768));
  return btoa(text);
}
