import { type GatewayProcess, type ModelProcess, startGateway, startModel } from './processes.ts';
import { makeProject, type TrialProject, type TrialSettings } from './project.ts';

/** A project, its model server, and a gateway that may be started again. */
export interface Stage {
  readonly project: TrialProject;
  readonly model: ModelProcess;
  /** Starts a gateway; the last one is killed with the stage. */
  start(more?: Partial<Parameters<typeof startGateway>[0]>): Promise<GatewayProcess>;
  close(): Promise<void>;
}

/** Opens a stage. */
export async function openStage(
  settings: Omit<TrialSettings, 'modelPort'> & { readonly isBuilt: boolean },
): Promise<Stage> {
  const { isBuilt, ...rest } = settings;
  const model = await startModel();
  const project = await makeProject({ modelPort: model.port, ...rest });
  let gateway: GatewayProcess | undefined;
  return {
    project,
    model,
    async start(more = {}) {
      gateway = await startGateway({ configPath: project.configPath, isBuilt, ...more });
      return gateway;
    },
    async close() {
      await gateway?.end('SIGKILL');
      await model.kill();
      project.remove();
    },
  };
}
