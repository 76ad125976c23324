import type { Front } from '../serve/front.ts';
import { openInferenceFront } from '../serve/fronts/open-inference.ts';
import { plainJsonFront } from '../serve/fronts/plain-json.ts';
import { createMarking, type Marking } from '../serve/marking.ts';
import { createPipeline } from '../serve/pipeline.ts';
import { openInferenceProxy } from '../serve/proxy/open-inference.ts';
import { tensorFlowServingProxy } from '../serve/proxy/tensorflow-serving.ts';
import { UpstreamConnection } from '../serve/proxy/upstream-connection.ts';
import { readProfile, requireProfileLabels } from '../store/profile-file.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';
import type { Project } from './project.ts';
import { sealProjectProfile } from './project-profile.ts';
import {
  type HeldUpstream,
  identityOf,
  requireUnusedEpochs,
  type ServingGround,
} from './serving-parts.ts';
import { bearerOf, openUpstream, type Upstream } from './upstream.ts';

/**
 * Opens a protected classifier and makes its service: its own protocol in flight where it speaks one,
 * and plain JSON and Open Inference for any. The watermark's profile is sealed first where there is none.
 *
 * @throws TouchmarkError errors of the upstream and of its profile
 */
export async function openClassifierService(
  project: Project,
  ground: ServingGround,
): Promise<HeldUpstream> {
  const { config, environment } = project;
  const upstream = await openUpstream(config, { environment, signal: ground.signal });
  const profile = await profileOf(project, upstream, ground);
  ground.signal.throwIfAborted();
  const bearer = bearerOf(config.model.bearerEnvironment, environment);
  const { classifier, model, inFlight } = upstream;
  const connection =
    inFlight &&
    new UpstreamConnection(inFlight.server, {
      timeoutMilliseconds: 1000 * config.serve.answerSeconds,
      ...(bearer !== undefined && { bearer }),
    });
  return {
    identity: identityOf(config),
    async serve({ keys, log, onAlarm, project: current }) {
      const { ifMarkingFails, ifLogFails } = current.config.serve;
      const marking = createMarking({
        profile,
        modelVersion: model.version,
        keys,
        log,
        clock: () => new Date(),
        policy: { ifMarkingFails, ifLogFails },
        onAlarm,
      });
      const answering = createPipeline({ upstream: classifier, model, marking });
      return {
        name: model.name,
        labels: model.labels.length,
        ready: () => answering.ready(),
        fronts: [
          plainJsonFront(answering),
          ...(connection && inFlight ? [proxyOf(inFlight, connection, upstream, marking)] : []),
          ...(inFlight?.protocol === 'kserve' ? [] : [openInferenceFront(answering)]),
        ],
      };
    },
    async close() {
      await classifier.close();
      await connection?.close();
    },
  };
}

function proxyOf(
  { protocol, path }: NonNullable<Upstream['inFlight']>,
  upstream: UpstreamConnection,
  { model }: Upstream,
  marking: Marking,
): Front {
  const options = { upstream, path, model, marking };
  return protocol === 'kserve' ? openInferenceProxy(options) : tensorFlowServingProxy(options);
}

async function profileOf(
  project: Project,
  { classifier, model }: Upstream,
  { signal, progress, onNotice, log, keys }: ServingGround,
): Promise<ClassifierProfile> {
  const { labels } = model;
  const sealed = await readProfile(project.profilePath);
  if (sealed === undefined) {
    requireUnusedEpochs(log, keys);
    return sealProjectProfile(project, { classifier, labels, signal, progress, onNotice });
  }
  requireProfileLabels(project.profilePath, sealed, labels);
  return sealed;
}
