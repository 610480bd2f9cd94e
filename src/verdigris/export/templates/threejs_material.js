// A neural material of Verdigris as a node material of three.js, for its WebGPU renderer.
//
//   import { NeuralMaterial } from './material.js';
//   const material = await NeuralMaterial.load();
//
// Lights with a place or a direction shade it by that direction, shadows included; the environment by samples of the
// material; light without a direction (ambient, hemisphere, probes, light maps) by its albedo. Area lights do not.

import {
  DataTexture, HalfFloatType, LightingModel, LightingNode, NodeMaterial, RGBAFormat, UnsignedByteType,
} from 'three/webgpu';
import {
  abs, cameraWorldMatrix, cross, dFdx, dFdy, dot, float, fract, If, interleavedGradientNoise, Loop,
  materialEnvIntensity, normalize, normalView, pmremTexture, positionView, positionViewDirection, screenCoordinate,
  select, sign, texture, uv as uvOfMesh, vec3, wgsl, wgslFn,
} from 'three/tsl';
import { HEADS, LATENT_BYTES, LEVELS, MODULE, PARTS } from './shader.js';

// Steps of an even sequence in three dimensions (Roberts, "R3").
const STEPS = [0.8191725133961645, 0.6710436067037893, 0.5497004779019703];

const names = Array.from({ length: PARTS }, (_, part) => `latents${part}`);
const module = wgsl(MODULE);
const shader = (text) => wgslFn(text, [module]);

const fetchSurface = shader(`fn vd_three_fetch(${names.map((name) => `${name}: texture_2d<f32>`).join(', ')},
    uv: vec2f, duv_dx: vec2f, duv_dy: vec2f, u: f32) -> VdSurface {
  return vd_fetch(${names.join(', ')}, uv, vd_pick_level(vd_level(duv_dx, duv_dy), u));
}`);
const evaluate = shader('fn vd_three_eval(s: VdSurface, wi: vec3f, wo: vec3f) -> vec3f { return vd_eval(s, wi, wo); }');
const lobes = shader('fn vd_three_lobes(s: VdSurface, wi: vec3f) -> VdMixture { return vd_mixture(s, wi); }');
const draw = shader(`fn vd_three_draw(m: VdMixture, wi: vec3f, u: vec3f) -> vec4f {
  return vd_mixture_sample(m, wi, u);
}`);
const albedoOf = shader('fn vd_three_albedo(s: VdSurface, wi: vec3f) -> vec3f { return vd_albedo(s, wi); }');
const emissionOf = shader('fn vd_three_emission(s: VdSurface) -> vec3f { return vd_emission(s); }');
const opacityOf = shader('fn vd_three_opacity(s: VdSurface) -> f32 { return vd_opacity(s); }');

/** The latents' textures, one for four channels, from the bytes of `latents.bin`. Throws an Error for other bytes. */
export function latentTextures(bytes) {
  const texels = LEVELS.reduce((sum, [width, height]) => sum + width * height, 0);
  const expected = texels * PARTS * 4 * LATENT_BYTES;
  if (bytes.byteLength !== expected) {
    throw new Error(`latents.bin: expected ${expected} bytes, got ${bytes.byteLength}`);
  }
  const [Numbers, type] = LATENT_BYTES === 2 ? [Uint16Array, HalfFloatType] : [Uint8Array, UnsignedByteType];
  const textures = names.map(() => []);
  let at = 0;
  for (const [width, height] of LEVELS) {
    for (const mipmaps of textures) {
      const data = new Numbers(bytes, at, width * height * 4);
      mipmaps.push({ data, width, height });
      at += data.byteLength;
    }
  }
  return textures.map((mipmaps) => {
    const [{ data, width, height }] = mipmaps;
    const made = new DataTexture(data, width, height, RGBAFormat, type);
    // Whole texels are read, whatever the filters. The first row is at v = 0.5 / height: nothing may flip it.
    return Object.assign(made, { mipmaps, generateMipmaps: false, flipY: false, needsUpdate: true });
  });
}

/** Tangent, bitangent and normal in view space, for a node of uv; left-handed where the map is mirrored. */
function shadingFrame(uv) {
  const [px, py, ux, uy] = [dFdx(positionView), dFdy(positionView), dFdx(uv), dFdy(uv)];
  const turn = sign(ux.x.mul(uy.y).sub(ux.y.mul(uy.x)));
  const alongU = px.mul(uy.y).sub(py.mul(ux.y)).mul(turn).toVar();
  const alongV = py.mul(ux.x).sub(px.mul(uy.x)).mul(turn);
  const n = normalize(normalView).toVar();
  const inPlane = alongU.sub(n.mul(dot(n, alongU))).toVar();
  const any = cross(n, select(abs(n.y).lessThan(0.9), vec3(0, 1, 0), vec3(1, 0, 0)));
  const t = normalize(select(dot(inPlane, inPlane).greaterThan(0), inPlane, any)).toVar();
  const b = cross(n, t).toVar();
  return [t, select(dot(b, alongV).lessThan(0), b.negate(), b).toVar(), n];
}

/** A place on a mesh as the material sees it, all in nodes. textures: of the latents. uv: a node. */
class Place {
  constructor(textures, uv) {
    const latents = Object.fromEntries(names.map((name, part) => [name, texture(textures[part])]));
    const u = interleavedGradientNoise(screenCoordinate.xy);
    this.surface = fetchSurface({ ...latents, uv, duv_dx: dFdx(uv), duv_dy: dFdy(uv), u }).toVar();
    this.frame = shadingFrame(uv);
    this.wi = this.toLocal(positionViewDirection).toVar();
  }

  toLocal(direction) {
    return vec3(...this.frame.map((axis) => dot(axis, direction)));
  }

  toView([x, y, z]) {
    const [t, b, n] = this.frame;
    return t.mul(x).add(b.mul(y)).add(n.mul(z));
  }

  /** Light that leaves the surface. incoming: a function of a direction in view space and a solid angle, both nodes. */
  gather(samples, incoming) {
    const mixture = lobes({ s: this.surface, wi: this.wi }).toVar();
    const sum = vec3(0).toVar();
    Loop(samples, ({ i }) => {
      const u = vec3(...STEPS.map((step) => fract(float(i).add(0.5).mul(step))));
      const drawn = draw({ m: mixture, wi: this.wi, u }).toVar();
      If(drawn.w.greaterThan(0), () => {
        const response = evaluate({ s: this.surface, wi: this.wi, wo: drawn.xyz }).div(drawn.w);
        const angle = float(1 / samples).div(drawn.w);
        sum.addAssign(response.mul(incoming(this.toView([drawn.x, drawn.y, drawn.z]), angle)));
      });
    });
    return sum.div(samples);
  }
}

/** Whether a node of lights gives light without a direction. */
function isUndirected({ light, isAnalyticLightNode, isNeuralEnvironment }) {
  if (isAnalyticLightNode) return light.isAmbientLight || light.isHemisphereLight || light.isLightProbe;
  return !isNeuralEnvironment;
}

/** What three.js asks for every light of a scene, and once for light without a direction. */
class NeuralLighting extends LightingModel {
  constructor(place, samples) {
    super();
    Object.assign(this, { place, samples, undirected: false });
  }

  start(builder) {
    this.undirected = builder.lightsNode.getLightNodes(builder).some(isUndirected);
    super.start(builder);
  }

  direct({ lightDirection, lightColor, reflectedLight }) {
    const { surface, wi } = this.place;
    const response = evaluate({ s: surface, wi, wo: this.place.toLocal(lightDirection) });
    reflectedLight.directSpecular.addAssign(response.mul(lightColor));
  }

  indirect({ context }) {
    const { ambientOcclusion, irradiance, radiance, reflectedLight } = context;
    reflectedLight.indirectSpecular.addAssign(radiance.mul(ambientOcclusion));
    if (this.undirected) {
      const albedo = HEADS.includes('albedo')
        ? albedoOf({ s: this.place.surface, wi: this.place.wi })
        : this.place.gather(this.samples, () => vec3(1));
      reflectedLight.indirectDiffuse.addAssign(albedo.mul(irradiance).mul(ambientOcclusion).div(Math.PI));
    }
  }
}

/** The environment, looked up where samples of the material go, as blurred as their solid angle. */
class NeuralEnvironment extends LightingNode {
  constructor(source, place, samples) {
    super();
    Object.assign(this, { source, place, samples, isNeuralEnvironment: true });
  }

  setup(builder) {
    const { source } = this;
    const light = this.place.gather(this.samples, (direction, angle) => {
      const world = direction.transformDirection(cameraWorldMatrix);
      // The roughness whose GGX lobe is as wide at its middle: 1 / pdf = 4 pi alpha^2, with alpha the roughness squared.
      const roughness = angle.div(4 * Math.PI).pow(0.25).clamp(0, 1);
      if (source.isTexture) return pmremTexture(source, world, roughness);
      return source.context({ getUV: () => world, getTextureLevel: () => roughness });
    });
    builder.context.radiance.addAssign(light.mul(materialEnvIntensity));
  }
}

/** The material. */
export class NeuralMaterial extends NodeMaterial {
  static get type() {
    return 'VerdigrisNeuralMaterial';
  }

  /**
   * textures: of `latentTextures`. uv: a node of texture coordinates, (0, 0) lower left: for a model of glTF,
   * `vec2(uv().x, uv().y.oneMinus())`. samples: of the environment, and of the albedo where there is no head for it.
   * Other parameters are those of any material of three.js.
   */
  constructor({ textures, uv = uvOfMesh(), samples = 16, ...parameters }) {
    super();
    this.lights = true;
    this.textures = textures;
    this.samples = samples;
    this.place = new Place(textures, uv);
    if (HEADS.includes('emission')) this.emissiveNode = emissionOf({ s: this.place.surface });
    if (HEADS.includes('opacity')) this.opacityNode = opacityOf({ s: this.place.surface });
    this.setValues(parameters);
  }

  /** The material with its latents, read from beside this file or from `url`. Takes the constructor's parameters. */
  static async load({ url = new URL('./latents.bin', import.meta.url), ...parameters } = {}) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${answer.statusText}`);
    return new NeuralMaterial({ ...parameters, textures: latentTextures(await answer.arrayBuffer()) });
  }

  setupLightingModel() {
    return new NeuralLighting(this.place, this.samples);
  }

  setupEnvironment(builder) {
    const node = this.envNode ?? this.envMap ?? builder.environmentNode;
    if (!node) return null;
    return new NeuralEnvironment(node.isTextureNode ? node.value : node, this.place, this.samples);
  }

  dispose() {
    for (const made of this.textures) made.dispose();
    super.dispose();
  }
}
