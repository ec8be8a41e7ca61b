import { startCores } from '../support/cores.ts';
import { routerSuite } from './router.suite.ts';

routerSuite('memory', startCores);
