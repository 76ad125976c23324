import { unknownVariables } from '../config/overrides.ts';
import { openProject, type ProjectOptions } from './project.ts';

/** What a valid configuration comes to. */
export interface CheckedConfig {
  readonly path: string;
  readonly model: string;
  readonly tenants: readonly string[];
  /** Settings that did not come from the file, and what they came from. */
  readonly overrides: readonly { readonly setting: string; readonly from: string }[];
  /** Variables that look like settings and are none. */
  readonly unknownVariables: readonly string[];
}

/** Checks a configuration file with what the environment adds. @throws CONFIG_INVALID */
export async function checkConfig(options: ProjectOptions): Promise<CheckedConfig> {
  const { path, config, overrides, environment } = await openProject(options);
  return {
    path,
    model: config.model.name,
    tenants: config.tenants.map(({ id }) => id),
    overrides: overrides.map((each) => ({ setting: each.path.join('.'), from: each.from })),
    unknownVariables: unknownVariables(environment, config),
  };
}
